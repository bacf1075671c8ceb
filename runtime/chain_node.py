"""The fast path: a node with one input that takes every packet as it comes, as most nodes of most graphs do."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappush
from inspect import isawaitable

from calcgraph.runtime.calculator import STOP
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.input_handlers import InputStreamHandler
from calcgraph.runtime.input_handlers.default import DefaultInputStreamHandler
from calcgraph.runtime.node import Node
from calcgraph.runtime.packet import EMPTY, Packet
from calcgraph.runtime.plan import NodePlan
from calcgraph.runtime.streams import OutputStream
from calcgraph.runtime.timestamp import POST_STREAM


class ChainNode(Node):
    """Its input set is the head of its only queue, so there is nothing to decide.

    Skipping the decision halves the cost of a node. Everything else is as in `Node`, and tests compare
    the two.
    """

    __slots__ = ("_item", "_ports", "_queue")

    def wire(
        self,
        handler: InputStreamHandler,
        streams: Mapping[str, OutputStream],
        limit: int,
        side_packets: Mapping[str, Packet],
    ) -> None:
        super().wire(handler, streams, limit, side_packets)
        self._queue = self.queues[0]
        self._item = self.context.inputs._items
        self._ports = self.context.outputs._items

    def on_packet(self) -> None:
        if not self.idle or self.scheduler.failed:
            return
        queue = self._queue
        packet = queue.packets.popleft()
        if queue.full:
            queue.note_room()
        self.idle = False
        self._in_flight = 1
        self._item[0] = packet
        self.context._time = packet._time
        if self.lane is None:
            heappush(self._ready, self.process_rank)
        else:
            self._start(self.context)

    def _start(self, context: CalculatorContext) -> None:
        self._in_flight = 1
        self.idle = False
        if self.lane is not None:
            self._pending.append(context)  # `process_now` needs no telling which one it is
        self._submit(self.process_rank)

    def process_now(self) -> None:
        context = self.context
        try:
            result = self.process(context)
        except BaseException as error:
            self.scheduler.on_interrupt(error)
            self.processed(context, None, error)
            return
        if result is not None and isawaitable(result):
            self.scheduler.start_task(result, self.processed, context)
        elif result is STOP or self.side_ports:
            self.processed(context, result, None)
        else:
            self._processed_plainly(context._time)

    def _processed_plainly(self, time: int) -> None:
        self._item[0] = EMPTY
        for port in self._ports:
            packets = port.packets
            if len(packets) == 1 and not port.special and packets[0]._time == time:
                # The packet itself says all there is to say of the bound.
                port.stream.send(packets.pop())
            else:
                port.flush(time)
        self.idle = True
        self._in_flight = 0
        queue = self._queue
        if queue.packets:
            self.on_packet()
        elif queue.bound != time + 1 or time == POST_STREAM:
            self.examine()


def is_chain(plan: NodePlan, handler: InputStreamHandler) -> bool:
    """Whether `ChainNode` does for this node."""
    return (
        len(plan.inputs) == 1
        and type(handler) is DefaultInputStreamHandler
        and handler.batch_size == 1
        and not handler.process_timestamp_bounds
        and plan.max_in_flight <= 1
    )
