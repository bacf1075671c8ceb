"""An input stream handler whose verdicts are traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from calcgraph.runtime.calls import nanoseconds
from calcgraph.runtime.input_handlers.base import CLOSE, NOT_READY, PROCESS, InputStreamHandler
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue
from calcgraph.runtime.tracing import Kind, Moment, Tracer

_KINDS: Final = {
    NOT_READY: Kind.NOT_READY,
    PROCESS: Kind.READY_FOR_PROCESS,
    CLOSE: Kind.READY_FOR_CLOSE,
}


class OverheardHandler(InputStreamHandler):
    """Asks the real handler and tells the tracer what it said."""

    def __init__(self, real: InputStreamHandler, node: int, tracer: Tracer) -> None:
        super().__init__((), None, real.process_timestamp_bounds)
        self._real = real
        self._node = node
        self._tracer = tracer
        self.batch_size = real.batch_size
        self.queue_class = real.queue_class  # type: ignore[misc]

    def attach(self, queues: Sequence[InputQueue]) -> None:
        self._real.attach(queues)

    def readiness(self) -> int:
        verdict = self._real.readiness()
        self.time = self._real.time
        moment = Moment(_KINDS[verdict], nanoseconds(), node=self._node, timestamp=self.time)
        self._tracer.note(moment)
        return verdict

    def fill(self, time: int, items: list[Packet]) -> None:
        self._real.fill(time, items)
        self.time = self._real.time
