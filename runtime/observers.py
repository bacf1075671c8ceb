"""How the application reads a stream: a function called for each packet, or a queue to poll."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.packet import NO_VALUE, Packet
from calcgraph.runtime.streams import UNLIMITED, InputQueue
from calcgraph.runtime.timestamp import DONE, POST_STREAM, UNSTARTED, previous_allowed

if TYPE_CHECKING:
    from calcgraph.runtime.scheduler import Scheduler

Callback = Callable[[str, Packet], None]
"""Called with the stream's name and a packet."""


class Observer:
    """Calls a function for each packet of a stream, in order, on the thread that drains the run.

    If the function raises, the run fails and the function is not called again in that run.
    """

    def __init__(self, scheduler: Scheduler, name: str, callback: Callback, bounds: bool) -> None:
        self._scheduler = scheduler
        self.name = f"observer of {name}"
        self._callback = callback
        self._bounds = bounds
        self._last: int = UNSTARTED
        self._queue = InputQueue(name, self, self.on_packet)

    def attach(self) -> None:
        self._scheduler.streams[self._queue.name].readers.append(self._queue)

    def on_packet(self) -> None:
        packet = self._queue.packets.popleft()
        self._last = packet._time
        self._call(packet)
        # After a packet at PreStream nothing can come: the stream is settled for good.
        self.on_bound()

    def on_bound(self) -> None:
        if not self._bounds or self._queue.bound == DONE:
            return
        settled = settled_time(self._queue.bound)
        if settled > self._last:
            self._last = settled
            self._call(Packet(NO_VALUE, settled))

    def _call(self, packet: Packet) -> None:
        scheduler = self._scheduler
        scheduler.observed = True
        try:
            self._callback(self._queue.name, packet)
        except BaseException as error:
            self._queue.close()
            scheduler.on_interrupt(error)
            scheduler.record(observer_error(self._queue.name, error))

    def on_full(self, queue: InputQueue) -> None:
        """It never is: a packet is taken as it comes."""

    def on_room(self, queue: InputQueue) -> None:
        """See `on_full`."""

    def on_stream_error(self, error: StatusError) -> None:
        self._scheduler.record(error)


class _PolledQueue(InputQueue):
    may_grow = False


class OutputStreamPoller:
    """Packets of one stream, taken one at a time by the application. Survives the graph's runs."""

    def __init__(self, name: str, bounds: bool) -> None:
        self.name = f"poller of {name}"
        self._stream = name
        self._bounds = bounds
        self._limit = UNLIMITED
        self._last: int = UNSTARTED
        self._scheduler: Scheduler | None = None
        self._queue: InputQueue | None = None

    def attach(self, scheduler: Scheduler) -> None:
        """A run begins."""
        self._scheduler = scheduler
        self._last = UNSTARTED
        self._queue = _PolledQueue(self._stream, self, self.on_packet, self._limit)
        scheduler.streams[self._stream].readers.append(self._queue)

    def next(self) -> Packet | None:
        """Wait for a packet. None when the stream has ended, or the run failed and no packet waits."""
        scheduler, queue = self._scheduler, self._queue
        if scheduler is None or queue is None:
            return None
        scheduler.wait(lambda: bool(queue.packets) or _is_over(scheduler, queue))
        if not queue.packets:
            return None
        packet = queue.packets.popleft()
        if queue.full:
            scheduler.post((queue.note_room,))
        return packet

    def __iter__(self) -> Iterator[Packet]:
        while (packet := self.next()) is not None:
            yield packet

    def queue_size(self) -> int:
        return len(self._queue.packets) if self._queue else 0

    def set_max_queue_size(self, size: int) -> None:
        """Hold back what feeds the stream while this many packets wait; -1 for never."""
        self._limit = size if size > 0 else UNLIMITED
        if self._scheduler is not None and self._queue is not None:
            self._scheduler.post((self._queue.grow, self._limit))

    def reset(self) -> None:
        """Forget the packets that wait."""
        if self._scheduler is not None and self._queue is not None:
            self._queue.packets.clear()
            self._scheduler.post((self._queue.note_room,))

    def on_packet(self) -> None:
        """The run wakes whoever waits in `next` when it has drained."""

    def on_bound(self) -> None:
        queue = self._queue
        if queue is None or not self._bounds or queue.bound == DONE:
            return
        settled = settled_time(queue.bound)
        if settled > self._last:
            self._last = settled
            queue.packets.append(Packet(NO_VALUE, settled))

    def on_full(self, queue: InputQueue) -> None:
        assert self._scheduler is not None
        self._scheduler.throttle.on_full(queue)

    def on_room(self, queue: InputQueue) -> None:
        assert self._scheduler is not None
        self._scheduler.throttle.on_room(queue)

    def on_stream_error(self, error: StatusError) -> None:
        assert self._scheduler is not None
        self._scheduler.record(error)


def settled_time(bound: int) -> int:
    """The time up to which a stream with that bound is settled, as observers are shown it."""
    return bound if bound == POST_STREAM else previous_allowed(bound)


def _is_over(scheduler: Scheduler, queue: InputQueue) -> bool:
    return queue.bound == DONE or scheduler.failed or scheduler.done


def observer_error(stream: str, cause: BaseException) -> StatusError:
    code = cause.code if isinstance(cause, StatusError) else Code.UNKNOWN
    text = str(cause) if isinstance(cause, StatusError) else f"{type(cause).__name__}: {cause}"
    error = status_error(code, f'the observer of stream "{stream}" failed: {text}')
    error.__cause__ = cause
    return error
