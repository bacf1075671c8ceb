"""All inputs belong together: a time is processed when every input is settled beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from calcgraph.proto.handlers_pb2 import DefaultInputStreamHandlerOptions
from calcgraph.runtime.input_handlers.base import InputStreamHandler, SyncSet
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue

if TYPE_CHECKING:
    from calcgraph.runtime.plan import Port


class DefaultInputStreamHandler(InputStreamHandler):
    """One sync set of all inputs. With `batch_size` n, n input sets are processed in a row."""

    def configure(self, ports: Sequence[Port], options: Message | None) -> None:
        self._all = SyncSet(range(len(ports)), self.process_timestamp_bounds)
        if isinstance(options, DefaultInputStreamHandlerOptions):
            self.batch_size = options.batch_size
            if self.batch_size < 1:
                raise ValueError(f"batch_size is at least 1, found {self.batch_size}")

    def attach(self, queues: Sequence[InputQueue]) -> None:
        self.queues = self._all.queues = queues

    def readiness(self) -> int:
        verdict = self._all.readiness()
        self.time = self._all.time
        return verdict

    def fill(self, time: int, items: list[Packet]) -> None:
        self._all.fill(time, items)
