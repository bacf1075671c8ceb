"""Keep up with fast inputs: when a queue grows too long, all but its newest packets are dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from calcgraph.proto.handlers_pb2 import FixedSizeInputStreamHandlerOptions
from calcgraph.runtime.input_handlers.base import NOT_READY, PROCESS
from calcgraph.runtime.input_handlers.default import DefaultInputStreamHandler
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue
from calcgraph.runtime.timestamp import DONE, MAX, UNSET, is_range, next_allowed

if TYPE_CHECKING:
    from calcgraph.runtime.plan import Port


class _TrimmedQueue(InputQueue):
    """Tells its handler of every packet, not only of the first."""

    __slots__ = ("trim",)
    trim: Callable[[], None]

    def add(self, packet: Packet) -> None:
        super().add(packet)
        self.trim()


class FixedSizeInputStreamHandler(DefaultInputStreamHandler):
    """A queue of `trigger_queue_size` is cut to its newest `target_queue_size` packets.

    The cut is a time, and holds for all inputs, also for packets that come later. With `fixed_min_size`
    nothing is cut until every queue is that long.
    """

    queue_class = _TrimmedQueue

    def configure(self, ports: Sequence[Port], options: Message | None) -> None:
        super().configure(ports, None)
        if not isinstance(options, FixedSizeInputStreamHandlerOptions):
            options = FixedSizeInputStreamHandlerOptions()
        self._trigger = options.trigger_queue_size
        self._target = options.target_queue_size
        self._all_must_be_long = options.fixed_min_size
        self._kept: int = UNSET
        self._pending = False
        """An input set was promised and not taken yet."""

    def attach(self, queues: Sequence[InputQueue]) -> None:
        super().attach(queues)
        for queue in queues:
            assert isinstance(queue, _TrimmedQueue)
            queue.trim = self._on_add

    def _on_add(self) -> None:
        if not self._pending:
            self._trim(keep_one=False)

    def readiness(self) -> int:
        if self._pending:
            return NOT_READY
        self._trim(keep_one=False)
        verdict = super().readiness()
        while verdict == PROCESS and self.time < self._kept:
            self._trim(keep_one=False)
            verdict = super().readiness()
        self._pending = verdict == PROCESS
        return verdict

    def fill(self, time: int, items: list[Packet]) -> None:
        self._trim(keep_one=True)
        self.time = min(self._newest_settled(queue) for queue in self.queues)
        super().fill(self.time, items)
        self._pending = False

    def _trim(self, *, keep_one: bool) -> None:
        if self._all_must_be_long:
            self._trim_all()
        else:
            self._trim_any(keep_one=keep_one)

    def _trim_all(self) -> None:
        if all(len(queue.packets) >= self._trigger for queue in self.queues):
            oldest = min(_newest(queue, self._target) for queue in self.queues)
            for queue in self.queues:
                queue.drop_before(min(oldest, MAX))

    def _trim_any(self, *, keep_one: bool) -> None:
        for queue in self.queues:
            length = len(queue.packets)
            kept = self._target if length >= self._trigger else self._trigger - 1
            if length > kept:
                self._kept = max(self._kept, next_allowed(_newest(queue, kept + 1)))
        if keep_one:
            bound = min(
                (next_allowed(_newest(q, 1)) if q.packets else q.bound for q in self.queues),
                default=DONE,
            )
            self._kept = min(self._kept, bound - 1 if is_range(bound) else bound)
        for queue in self.queues:
            queue.drop_before(self._kept)

    @staticmethod
    def _newest_settled(queue: InputQueue) -> int:
        if queue.packets:
            return queue.packets[0]._time
        return queue.bound - 1 if is_range(queue.bound) else queue.bound


def _newest(queue: InputQueue, n: int) -> int:
    """The oldest time among the newest n packets, UNSET when there are none."""
    packets = queue.packets
    return packets[-min(n, len(packets))]._time if packets else UNSET
