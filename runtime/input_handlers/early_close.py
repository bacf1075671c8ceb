"""Like the default, but the node ends with the first of its inputs: the way to end a cycle."""

from __future__ import annotations

from calcgraph.runtime.input_handlers.base import CLOSE, NOT_READY, PROCESS, InputStreamHandler
from calcgraph.runtime.timestamp import DONE


class EarlyCloseInputStreamHandler(InputStreamHandler):
    """A time is processed when all inputs are settled beyond it; CLOSE as soon as one input is exhausted."""

    def readiness(self) -> int:
        if any(queue.is_done for queue in self.queues):
            self.time = DONE
            return CLOSE
        self.time = min(queue.min_time_or_bound for queue in self.queues)
        unsettled = any(not queue.packets and queue.bound <= self.time for queue in self.queues)
        return NOT_READY if unsettled else PROCESS
