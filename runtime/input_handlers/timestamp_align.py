"""Inputs whose clocks differ by a constant: their packets are moved to the time of a base input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from calcgraph.proto.handlers_pb2 import TimestampAlignInputStreamHandlerOptions
from calcgraph.runtime.input_handlers.base import CLOSE, NOT_READY, PROCESS, InputStreamHandler
from calcgraph.runtime.input_handlers.tag_index import port_id
from calcgraph.runtime.packet import EMPTY, Packet
from calcgraph.runtime.timestamp import DONE, add_offset, is_range

if TYPE_CHECKING:
    from calcgraph.runtime.plan import Port


class TimestampAlignInputStreamHandler(InputStreamHandler):
    """Until every input has had a packet only the base's packets pass; then the offsets are fixed."""

    def configure(self, ports: Sequence[Port], options: Message | None) -> None:
        named = isinstance(options, TimestampAlignInputStreamHandlerOptions)
        self._base = port_id(ports, options.timestamp_base_tag_index if named else "")  # type: ignore[union-attr]
        self._offsets = [0] * len(ports)
        self._aligned = len(ports) == 1

    def readiness(self) -> int:
        return self._align() if not self._aligned else self._readiness()

    def _align(self) -> int:
        base = self.queues[self._base]
        self.time = base.min_time_or_bound
        if not base.packets:
            return NOT_READY
        for id, queue in enumerate(self.queues):
            if id != self._base and queue.packets:
                self._offsets[id] = self.time - queue.packets[0]._time
        self._aligned = all(queue.packets for queue in self.queues)
        return PROCESS

    def _readiness(self) -> int:
        bound: int = DONE
        self.time = DONE
        for queue, offset in zip(self.queues, self._offsets, strict=True):
            t = queue.min_time_or_bound
            if is_range(t):
                t = add_offset(t, offset)
            if not queue.packets:
                bound = min(bound, t)
            self.time = min(self.time, t)
        if self.time == DONE:
            return CLOSE
        return PROCESS if bound > self.time else NOT_READY

    def fill(self, time: int, items: list[Packet]) -> None:
        for id, (queue, offset) in enumerate(zip(self.queues, self._offsets, strict=True)):
            if self._aligned:
                packet = queue.take(time - offset)
                items[id] = packet if packet.is_empty() else packet.at(time)
            else:
                items[id] = queue.take(time) if id == self._base else EMPTY
