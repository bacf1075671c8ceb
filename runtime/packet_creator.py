"""MediaPipe's `packet_creator`: packets from plain values, for code written against its Python binding.

`Packet(value)` does the same without a check. A created packet's `timestamp` may be assigned, as in
MediaPipe; what goes into a graph is a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from google.protobuf.message import Message

from calcgraph.runtime.packet import Packet

_RANGE = "the data type can have."


class CreatedPacket(Packet):
    """A packet that belongs to the application alone, which may stamp it."""

    __slots__ = ()

    @property
    def timestamp(self) -> Any:
        return super().timestamp

    @timestamp.setter
    def timestamp(self, timestamp: int) -> None:
        self._time = timestamp

    def at(self, timestamp: int) -> CreatedPacket:
        return CreatedPacket(self._payload, timestamp)


def create_string(data: str | bytes) -> Packet:
    """Text, or bytes as they are. Raises TypeError for anything else."""
    return CreatedPacket(_of(data, (str, bytes), "str or bytes"))


def create_bool(data: bool) -> Packet:
    """Raises TypeError for anything but True and False."""
    return CreatedPacket(_of(data, bool, "bool"))


def _integers(name: str, low: int, high: int) -> Callable[[int], Packet]:
    def create(data: int) -> Packet:
        value = _integer(data)
        # Misspelt as in MediaPipe, whose users may look for it.
        if value > high:
            raise OverflowError(f"{value} execeeds the maximum value ({high}) {_RANGE}")
        if value < low:
            raise OverflowError(f"{value} goes below the minimum value ({low}) {_RANGE}")
        return CreatedPacket(value)

    create.__name__ = create.__qualname__ = f"create_{name}"
    create.__doc__ = f"An integer from {low} to {high}. Raises OverflowError, TypeError."
    return create


create_int = _integers("int", -(2**31), 2**31 - 1)
create_int8 = _integers("int8", -(2**7), 2**7 - 1)
create_int16 = _integers("int16", -(2**15), 2**15 - 1)
create_int32 = _integers("int32", -(2**31), 2**31 - 1)
create_int64 = _integers("int64", -(2**63), 2**63 - 1)
create_uint8 = _integers("uint8", 0, 2**8 - 1)
create_uint16 = _integers("uint16", 0, 2**16 - 1)
create_uint32 = _integers("uint32", 0, 2**32 - 1)
create_uint64 = _integers("uint64", 0, 2**64 - 1)


def create_float(data: float) -> Packet:
    """A number; it keeps Python's precision. Raises TypeError for anything else."""
    return CreatedPacket(float(_of(data, Real, "a number")))


create_double = create_float


def create_int_vector(data: Sequence[int]) -> Packet:
    return CreatedPacket([_integer(item) for item in data])


def create_bool_vector(data: Sequence[bool]) -> Packet:
    return CreatedPacket([_of(item, bool, "bool") for item in data])


def create_float_vector(data: Sequence[float]) -> Packet:
    return CreatedPacket([float(_of(item, Real, "a number")) for item in data])


def create_string_vector(data: Sequence[str]) -> Packet:
    return CreatedPacket([_of(item, (str, bytes), "str or bytes") for item in data])


create_int_array = create_int_vector
create_float_array = create_float_vector


def create_packet_vector(data: Sequence[Packet]) -> Packet:
    return CreatedPacket([_of(item, Packet, "Packet") for item in data])


def create_string_to_packet_map(data: Mapping[str, Packet]) -> Packet:
    return CreatedPacket({key: _of(item, Packet, "Packet") for key, item in data.items()})


def create_proto(proto_message: Message) -> Packet:
    """A copy of the message, so that a change of it later does not show."""
    copy = type(_of(proto_message, Message, "a protobuf message"))()
    copy.CopyFrom(proto_message)
    return CreatedPacket(copy)


def _integer(data: Any) -> int:
    return int(_of(data, Integral, "an integer"))


def _of(data: Any, kind: Any, expected: str) -> Any:
    if not isinstance(data, kind):
        raise TypeError(f"expected {expected}, found {type(data).__name__} {data!r}")
    return data
