"""A packet: one immutable value at one moment of a stream."""

from __future__ import annotations

from typing import Any, Final

from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.timestamp import UNSET, Timestamp


class _NoValue:
    """The absence of a payload; `None` is a payload like any other."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<empty>"


NO_VALUE: Final = _NoValue()


class Packet:
    """A payload and a timestamp (mediapipe/framework/packet.h). Copies made by `at` share the payload.

    An empty packet has no payload; its timestamp then tells up to when its stream is settled.
    """

    __slots__ = ("_payload", "_time")

    def __init__(self, payload: Any = NO_VALUE, timestamp: int = UNSET) -> None:
        self._payload = payload
        self._time = timestamp

    def at(self, timestamp: int) -> Packet:
        """The same payload at another time; this packet stays as it is."""
        return Packet(self._payload, timestamp)

    def is_empty(self) -> bool:
        return self._payload is NO_VALUE

    @property
    def value(self) -> Any:
        """The payload. Raises INTERNAL when there is none."""
        if self._payload is NO_VALUE:
            raise status_error(Code.INTERNAL, f"the packet at {self.timestamp} is empty")
        return self._payload

    def get(self, kind: type) -> Any:
        """The payload, checked with `isinstance`. Raises INVALID_ARGUMENT naming both types."""
        if not isinstance(self._payload, kind):
            found = "nothing" if self._payload is NO_VALUE else type(self._payload).__name__
            raise status_error(
                Code.INVALID_ARGUMENT, f"the packet holds {found}, expected {kind.__name__}"
            )
        return self._payload

    @property
    def timestamp(self) -> Timestamp:
        return Timestamp.of(self._time)

    def __bool__(self) -> bool:
        return self._payload is not NO_VALUE

    def __repr__(self) -> str:
        payload = "" if self._payload is NO_VALUE else f" and value {self._payload!r}"
        return f"<Packet with timestamp: {self.timestamp}{payload}>"


EMPTY: Final = Packet()
