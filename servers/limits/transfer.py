"""How many connections there may be, how slow their clients, and how much they may send at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from calcgraph.runtime.errors import Code, RequestError

_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Limits of one front end."""

    connections: int = 4096
    client_s: float = 30.0
    """What a client may take over headers; over a body and over reading an answer, and a second more for
    every `slowest` bytes."""
    slowest: int = 16 * 1024
    """Bytes a second of a client that is slow and not hostile."""
    body_bytes: int = 64 * _MIB
    """Of one body."""
    bodies_bytes: int = 1024 * _MIB
    """Of all bodies together."""
    message_bytes: int = 1024 * _MIB
    """Of one gRPC message."""
    calls: int = 4096
    """Of gRPC, at a time."""

    def seconds_for(self, size: int) -> float:
        """How long so many bytes may take over the network."""
        return self.client_s + size / self.slowest


class BodyRoom:
    """The memory for bodies that are being read and answered."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    @contextmanager
    def taking(self, size: int) -> Iterator[None]:
        """Room for one body, before it is read. Raises RequestError when there is none; one body always fits."""
        if self.taken and self.taken + size > self._most:
            raise RequestError(
                f"The server has no room for another {size} bytes of bodies now.",
                reason="overloaded",
                code=Code.RESOURCE_EXHAUSTED,
            )
        self.taken += size
        try:
            yield
        finally:
            self.taken -= size
