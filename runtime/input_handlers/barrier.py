"""One packet from each input, in order of arrival, whatever their times."""

from __future__ import annotations

from collections.abc import Sequence

from calcgraph.runtime.input_handlers.base import CLOSE, NOT_READY, PROCESS, InputStreamHandler
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue
from calcgraph.runtime.timestamp import DONE


class BarrierInputStreamHandler(InputStreamHandler):
    """Ready when no input is empty; the time is that of the oldest head. Ends with the first input that ends."""

    def attach(self, queues: Sequence[InputQueue]) -> None:
        self.queues = queues
        for queue in queues:
            queue.timed = False

    def readiness(self) -> int:
        if any(queue.is_done for queue in self.queues):
            self.time = DONE
            return CLOSE
        self.time = min(queue.min_time_or_bound for queue in self.queues)
        return PROCESS if all(queue.packets for queue in self.queues) else NOT_READY

    def fill(self, time: int, items: list[Packet]) -> None:
        for id, queue in enumerate(self.queues):
            items[id] = queue.take_head()
