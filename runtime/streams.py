"""A stream between its writer and its readers: what has been delivered, and up to when it is settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.packet import NO_VALUE, Packet
from calcgraph.runtime.timestamp import (
    DONE,
    MAX,
    MIN,
    ONE_OVER_POST_STREAM,
    POST_STREAM,
    PRE_STREAM,
    UNSET,
    UNSTARTED,
    is_allowed_in_stream,
    next_allowed,
    previous_allowed,
    text,
)

UNLIMITED = 2**62
"""A queue limit that is never reached: `max_queue_size: -1`."""


class Receiver(Protocol):
    """Whoever reads a stream: a node's input, an observer, a poller."""

    def add(self, packet: Packet) -> None: ...

    def set_bound(self, bound: int) -> None: ...


class QueueOwner(Protocol):
    """What a queue tells the node that reads it, and its run."""

    name: str

    def on_bound(self) -> None:
        """The queue is empty and its bound rose."""

    def on_full(self, queue: InputQueue) -> None: ...

    def on_room(self, queue: InputQueue) -> None: ...

    def on_stream_error(self, error: StatusError) -> None: ...


class InputQueue:
    """The packets of one stream that wait at one input of one node (mediapipe/framework/input_stream_manager.cc).

    `bound` is the earliest time that a further packet may have. The reader is told only when a packet
    comes to an empty queue (`on_packet`) and when the bound of an empty queue rises (`on_bound`).
    """

    may_grow = True
    """Whether a deadlock may be resolved by raising `limit`."""

    __slots__ = (
        "added",
        "bound",
        "closed",
        "full",
        "limit",
        "name",
        "on_packet",
        "owner",
        "packets",
        "timed",
    )

    def __init__(
        self, name: str, owner: QueueOwner, on_packet: Callable[[], None], limit: int = UNLIMITED
    ) -> None:
        self.name = name
        self.owner = owner
        self.on_packet = on_packet
        self.limit = limit
        self.packets: deque[Packet] = deque()
        self.bound: int = PRE_STREAM
        self.added = 0
        self.full = False
        self.closed = False
        self.timed = True

    def add(self, packet: Packet) -> None:
        t = packet._time
        if PRE_STREAM < t < MAX and t >= self.bound:
            self.bound = t + 1
        elif not self._admits(t):
            return
        self.added += 1
        packets = self.packets
        packets.append(packet)
        if len(packets) == 1:
            self.on_packet()
            if not packets:
                return
        if len(packets) >= self.limit and not self.full:
            self.full = True
            self.owner.on_full(self)

    def _admits(self, t: int) -> bool:
        """All the cases that are not an ordinary packet after another one."""
        if self.closed:
            return False
        problem = self._objection(t)
        if problem:
            self.owner.on_stream_error(status_error(Code.INVALID_ARGUMENT, problem))
            return False
        self.bound = next_allowed(t)
        return True

    def _objection(self, t: int) -> str:
        if not is_allowed_in_stream(t):
            return f'In stream "{self.name}", timestamp not specified or set to illegal value: {text(t)}'
        if not self.timed:
            return ""
        if t == POST_STREAM and self.added:
            return (
                f'In stream "{self.name}", a packet at Timestamp::PostStream() must be the only '
                f"packet, and {self.added} came before it"
            )
        return out_of_order(self.name, self.bound, t) if t < self.bound else ""

    def set_bound(self, bound: int) -> None:
        if bound > self.bound:
            self.bound = bound
            if not self.packets:
                self.owner.on_bound()
        elif bound < self.bound and self.timed and not self.closed:
            self.owner.on_stream_error(
                status_error(
                    Code.UNKNOWN,
                    f'In stream "{self.name}", a timestamp bound may not fall: Current minimum '
                    f"expected timestamp is {text(self.bound)} but received {text(bound)}",
                )
            )

    def close(self) -> None:
        """The reader is done: drop what waits and what comes."""
        self.closed = True
        self.bound = DONE
        self.packets.clear()
        self.note_room()

    @property
    def min_time_or_bound(self) -> int:
        return self.packets[0]._time if self.packets else self.bound

    @property
    def is_done(self) -> bool:
        return not self.packets and self.bound == DONE

    def take(self, t: int) -> Packet:
        """The packet at `t`, or an empty one at the last settled time. Drops all that is older."""
        if self.bound <= t:
            self.bound = next_allowed(t)
        packets = self.packets
        found = None
        while packets and packets[0]._time <= t:
            found = packets.popleft()
        if self.full:
            self.note_room()
        if found is not None and found._time == t:
            return found
        return self.settled()

    def take_head(self) -> Packet:
        """The oldest packet, whatever its time; for handlers that ignore time."""
        packet = self.packets.popleft()
        if self.full:
            self.note_room()
        return packet

    def settled(self) -> Packet:
        """An empty packet at the time up to which nothing further will come."""
        return Packet(NO_VALUE, previous_allowed(self.min_time_or_bound))

    def drop_before(self, t: int) -> None:
        packets = self.packets
        while packets and packets[0]._time < t:
            packets.popleft()
        if self.full:
            self.note_room()

    def grow(self, limit: int) -> None:
        self.limit = limit
        self.note_room()

    def note_room(self) -> None:
        if self.full and len(self.packets) < self.limit:
            self.full = False
            self.owner.on_room(self)


class OutputStream:
    """The writing end: hands what one call produced to every reader (output_stream_manager.cc)."""

    __slots__ = ("bound", "closed", "header", "name", "offset", "plain", "readers", "type")

    def __init__(self, name: str, kind: Any = None, offset: int | None = None) -> None:
        self.name = name
        self.type = kind
        self.readers: list[Receiver] = []
        self.header = Packet()
        self.bound: int = PRE_STREAM
        self.closed = False
        self.set_offset(offset)

    def set_offset(self, offset: int | None) -> None:
        self.offset = offset
        # With such an offset a packet at the input's time already says all that the offset promises.
        self.plain = offset is None or offset <= 0

    def send(self, packet: Packet) -> None:
        t = packet._time
        self.bound = t + 1 if PRE_STREAM < t < MAX else ONE_OVER_POST_STREAM
        for reader in self.readers:
            reader.add(packet)

    def set_bound(self, bound: int) -> None:
        self.bound = bound
        for reader in self.readers:
            reader.set_bound(bound)

    def deliver(self, packets: list[Packet], explicit: int, input_time: int) -> None:
        """Send what one call at `input_time` wrote, then the bound that follows from it.

        `explicit` is the bound that the call set, UNSET for none.
        """
        before = self.bound
        after_last: int = UNSET
        for packet in packets:
            self.send(packet)
            after_last = next_allowed(packet._time)
        bound = max(explicit, after_last)
        promised = bound_after(input_time, self.offset)
        if promised > max(before, bound):
            bound = promised
        if bound not in (UNSET, after_last):
            self.set_bound(bound)

    def settle(self, bound: int) -> None:
        """The node's inputs are settled below `bound`, a range value, without a call (rule S8)."""
        if self.offset is None:
            return
        promised = min(max(bound + self.offset, MIN), MAX)
        if promised > self.bound:
            self.set_bound(promised)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.set_bound(DONE)


def bound_after(t: int, offset: int | None) -> int:
    """The bound that a call at input time `t` implies, UNSET when it implies none (rule S6)."""
    if offset is None or t == UNSTARTED:
        return UNSET
    if t == PRE_STREAM:
        return MIN
    if t == POST_STREAM:
        return ONE_OVER_POST_STREAM
    if t == MAX:
        return POST_STREAM if offset >= 0 else next_allowed(MAX + offset)
    return min(max(t + 1 + offset, MIN), MAX)


def out_of_order(stream: str, bound: int, t: int) -> str:
    return (
        f'Packet timestamp mismatch on a calculator receiving from stream "{stream}". '
        f"Current minimum expected timestamp is {text(bound)} but received {text(t)}. Streams rise, "
        "unless the reader's input stream handler takes times that are not strictly monotonically "
        "increasing (BarrierInputStreamHandler)."
    )
