"""A graph input stream: where the application's packets enter a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calcgraph.runtime.context import check_type
from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.packet import NO_VALUE, Packet
from calcgraph.runtime.streams import InputQueue, OutputStream, out_of_order
from calcgraph.runtime.timestamp import (
    DONE,
    MAX,
    POST_STREAM,
    PRE_STREAM,
    is_allowed_in_stream,
    next_allowed,
    text,
)

if TYPE_CHECKING:
    from calcgraph.runtime.scheduler import Scheduler


class GraphInput:
    """Checks on the application's thread, so that it hears of a mistake at once. Not for concurrent calls."""

    __slots__ = ("_added", "_bound", "_scheduler", "blockers", "closed", "posted", "stream")

    def __init__(self, scheduler: Scheduler, stream: OutputStream) -> None:
        self._scheduler = scheduler
        self.stream = stream
        self.blockers: set[InputQueue] = set()
        """The full queues that hold this input back."""
        self.posted = 0
        """Packets that were accepted and are still on their way to the queues."""
        self.closed = False
        self._bound: int = PRE_STREAM
        self._added = False

    @property
    def held_back(self) -> bool:
        limit = self._scheduler.plan.max_queue_size
        return bool(self.blockers) or 0 < limit <= self.posted

    def unblocked(self) -> None:
        """Whoever waits to add a packet is woken at the end of the drain."""

    def add(self, packet: Packet) -> None:
        """Raises, and fails the run, for a packet that the stream cannot take."""
        t = packet._time
        if PRE_STREAM < t < MAX and t >= self._bound and self.stream.type is None:
            self._bound = t + 1
        else:
            self._check(packet)
            self._bound = next_allowed(t)
        self._added = True
        if packet._payload is NO_VALUE:
            self._scheduler.post((self.stream.set_bound, self._bound))
        else:
            self._scheduler.feed(self, packet)

    def _check(self, packet: Packet) -> None:
        name, t = self.stream.name, packet._time
        if self.closed:
            raise self._failed(Code.FAILED_PRECONDITION, f'Packet sent to closed stream "{name}".')
        if self.stream.type is not None and packet._payload is not NO_VALUE:
            try:
                check_type(
                    f'Packet type mismatch on stream "{name}"', packet._payload, self.stream.type
                )
            except StatusError as error:
                raise self._failed(error.code, error.message) from None
        if not self.stream.readers:
            return
        if t == POST_STREAM and self._added:
            raise self._failed(
                Code.INVALID_ARGUMENT,
                f'In stream "{name}", a packet at Timestamp::PostStream() must be the only packet',
            )
        if t < self._bound:
            raise self._failed(Code.INVALID_ARGUMENT, out_of_order(name, self._bound, t))

    def _failed(self, code: Code, message: str) -> StatusError:
        self._scheduler.record(status_error(code, message))
        self._scheduler.post((_nothing,))
        return self._scheduler.combined_error("Graph has errors: ")

    def deliver_posted(self, packet: Packet) -> None:
        self.posted -= 1
        self.stream.send(packet)

    def set_bound(self, bound: int) -> None:
        name = self.stream.name
        if not (is_allowed_in_stream(bound) or bound == next_allowed(MAX)):
            raise status_error(
                Code.INVALID_ARGUMENT,
                f'In stream "{name}", {text(bound)} cannot be a timestamp bound',
            )
        if self.closed:
            return
        if bound < self._bound and self.stream.readers:
            raise self._failed(
                Code.UNKNOWN,
                f'In stream "{name}", a timestamp bound may not fall: Current minimum expected '
                f"timestamp is {text(self._bound)} but received {text(bound)}",
            )
        self._bound = bound
        self._scheduler.post((self.stream.set_bound, bound))

    def close(self) -> None:
        """Once; again is no mistake."""
        if not self.closed:
            self.closed = True
            self._bound = DONE
            self._scheduler.post((self._close_now,))

    def _close_now(self) -> None:
        self._scheduler.open_inputs -= 1
        self.stream.close()


def _nothing() -> None:
    """An event that only makes the run look at its errors."""
