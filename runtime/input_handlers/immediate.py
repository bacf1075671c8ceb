"""Every input on its own: whatever comes is processed at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from calcgraph.runtime.input_handlers.base import (
    CLOSE,
    NOT_READY,
    PROCESS,
    InputStreamHandler,
    SyncSet,
)
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue
from calcgraph.runtime.timestamp import DONE, MAX, UNSET

if TYPE_CHECKING:
    from calcgraph.runtime.plan import Port


class ImmediateInputStreamHandler(InputStreamHandler):
    """Each input is a sync set; those ready at the smallest time are delivered together.

    Across inputs, time may go back from one call to the next. An input that ends costs one more call:
    without packets, or at Timestamp.MAX when the node processes bounds.
    """

    def configure(self, ports: Sequence[Port], options: Message | None) -> None:
        self._sets = [SyncSet((id,), self.process_timestamp_bounds) for id in range(len(ports))]
        self._ready: list[int] = [UNSET] * len(ports)
        """The time at which each input waits to be processed."""

    def attach(self, queues: Sequence[InputQueue]) -> None:
        self.queues = queues
        for sync_set, queue in zip(self._sets, queues, strict=True):
            sync_set.queues = (queue,)

    def readiness(self) -> int:
        one_ended = False
        lowest: int = DONE
        for id, sync_set in enumerate(self._sets):
            if self._ready[id] == UNSET:
                one_ended |= self._examine(id, sync_set)
                lowest = min(lowest, sync_set.time)
        waiting = [time for time in self._ready if time != UNSET]
        earliest = min(waiting, default=DONE)
        self.time = min(lowest, earliest)
        if self.time == DONE:
            return CLOSE
        if earliest < DONE:
            self.time = earliest
            return PROCESS
        return PROCESS if one_ended else NOT_READY

    def _examine(self, id: int, sync_set: SyncSet) -> bool:
        """Note when this input is ready; True if it has just ended, in a way worth a call."""
        before = sync_set.last_processed
        verdict = sync_set.readiness()
        if verdict == PROCESS:
            self._ready[id] = sync_set.time
        if verdict != CLOSE:
            return False
        if self.process_timestamp_bounds:
            # Its end is processed once, at the last time there is, before it counts as done.
            self._ready[id] = MAX if before < MAX else DONE
            return False
        self._ready[id] = DONE
        return True

    def fill(self, time: int, items: list[Packet]) -> None:
        for id, sync_set in enumerate(self._sets):
            if self._ready[id] == time:
                sync_set.fill(time, items)
                self._ready[id] = UNSET
            else:
                sync_set.fill_bounds(items)
