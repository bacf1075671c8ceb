"""One node during one run: opened once, called for each input set, closed once.

Everything here runs under the scheduler's baton, but for the calculator's own methods, which may run on
other threads or as tasks. What they bring back goes through `opened`, `processed` and `closed`.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from heapq import heappush
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any

from calcgraph.runtime.calculator import STOP, Calculator
from calcgraph.runtime.calls import Phase, Stopwatch
from calcgraph.runtime.context import (
    CalculatorContext,
    Inputs,
    OutputPort,
    OutputSidePort,
    Ports,
    port_ids,
)
from calcgraph.runtime.errors import CalculatorError, Code, StatusError, status_error
from calcgraph.runtime.input_handlers import INPUT_HANDLERS, InputStreamHandler
from calcgraph.runtime.input_handlers.base import CLOSE, NOT_READY, PROCESS
from calcgraph.runtime.packet import EMPTY, Packet
from calcgraph.runtime.plan import NodePlan
from calcgraph.runtime.streams import InputQueue, OutputStream
from calcgraph.runtime.timestamp import DONE, UNSTARTED, is_range

if TYPE_CHECKING:
    from calcgraph.runtime.executors import Lane
    from calcgraph.runtime.scheduler import Scheduler

# A node's state.
PREPARED = 0
OPENING = 1
OPENED = 2
CLOSING = 3
CLOSED = 4
FAILED = 5

Method = Callable[[CalculatorContext], Any]


class Node:
    """A node with inputs, under any input stream handler, or without any streams."""

    __slots__ = (
        "_batch",
        "_close",
        "_dependents",
        "_free",
        "_in_flight",
        "_in_flight_limit",
        "_in_order",
        "_input_ids",
        "_input_streams",
        "_open",
        "_output_ids",
        "_pending",
        "_ready",
        "_running_batch",
        "_sees_bounds",
        "_side_inputs",
        "_side_outputs",
        "context",
        "handler",
        "id",
        "idle",
        "lane",
        "name",
        "plan",
        "process",
        "process_rank",
        "queues",
        "resource",
        "scheduler",
        "side_ports",
        "state",
        "stirred",
        "streams",
        "waiting",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        plan: NodePlan,
        calculator: Calculator,
        lane: Lane | None,
        resource: Any,
    ) -> None:
        self.scheduler = scheduler
        self.plan = plan
        self.id = plan.id
        self.name = plan.name
        self.resource = resource
        self.lane = lane
        """Where its methods run; None is inline, on whichever thread holds the baton."""
        self._open: Method = calculator.open
        self.process: Method = calculator.process
        self._close: Method = calculator.close
        self.state = PREPARED
        self.waiting = 0
        """How many input headers and side packets have to come before it can be opened."""
        self.idle = False
        """Opened, and free to take an input set."""
        self.stirred = False
        """Marked to be examined, since a bound rose."""
        self._sees_bounds = plan.contract.process_timestamp_bounds
        self._ready = scheduler.ready
        self.process_rank = scheduler.process_rank(plan.id)
        self._in_flight = 0
        self._in_flight_limit = max(plan.max_in_flight, 1)
        self._in_order: list[CalculatorContext] = []
        self._free: list[CalculatorContext] = []
        self._pending: deque[CalculatorContext] = deque()
        self._batch: list[tuple[int, list[Packet]]] = []
        self._running_batch = False
        self._dependents: list[Node] = []

    def wire(
        self,
        handler: InputStreamHandler,
        streams: Mapping[str, OutputStream],
        limit: int,
        side_packets: Mapping[str, Packet],
    ) -> None:
        """Connect the node to its streams; writers before readers does not matter."""
        plan = self.plan
        self.handler = handler
        self._input_streams = [streams[port.name] for port in plan.inputs]
        self.queues = [
            handler.queue_class(port.name, self, self.on_packet, limit) for port in plan.inputs
        ]
        for stream, queue in zip(self._input_streams, self.queues, strict=True):
            stream.readers.append(queue)
        handler.attach(self.queues)
        self.streams = [streams[port.name] for port in plan.outputs]
        self.side_ports = [
            OutputSidePort(port.name, self.scheduler.plan.side_packets[port.name].type)
            for port in plan.output_side_packets
        ]
        self._input_ids = port_ids(plan.inputs)
        self._output_ids = port_ids(plan.outputs)
        # An optional side packet that nobody gives is, for this run, no port at all.
        present = [
            port
            for port in plan.input_side_packets
            if port.name in side_packets
            or self.scheduler.plan.side_packets[port.name].producer is not None
        ]
        self._side_inputs = Ports("input side packet", port_ids(present), [EMPTY for _ in present])
        self._side_outputs = Ports(
            "output side packet", port_ids(plan.output_side_packets), self.side_ports
        )
        self.context = self._new_context()

    def _new_context(self) -> CalculatorContext:
        context = CalculatorContext(self)
        context.inputs = Inputs(self._input_ids, [EMPTY] * len(self.queues), self._input_streams)
        context.outputs = Ports(
            "output", self._output_ids, [OutputPort(stream, context) for stream in self.streams]
        )
        context.input_side_packets = self._side_inputs
        context.output_side_packets = self._side_outputs
        return context

    def watch(self, stopwatch: Stopwatch) -> None:
        """Have every call of the calculator timed."""
        self._open = stopwatch.timed(self.plan, Phase.OPEN, self._open)
        self.process = stopwatch.timed(self.plan, Phase.PROCESS, self.process)
        self._close = stopwatch.timed(self.plan, Phase.CLOSE, self._close)

    @property
    def in_flight(self) -> int:
        """How many calls of `process` are ready or running."""
        return self._in_flight

    @property
    def side_inputs(self) -> list[Packet]:
        """The input side packets that it was opened with, in canonical order."""
        return self._side_inputs.values()

    # Opening

    def add_dependent(self, node: Node) -> None:
        """`node` cannot be opened before this one."""
        self._dependents.append(node)
        node.waiting += 1

    def one_less_to_wait_for(self) -> None:
        self.waiting -= 1
        if not self.waiting:
            self.schedule_open()

    def schedule_open(self) -> None:
        if self.state == PREPARED and not self.scheduler.failed:
            self.state = OPENING
            for id, name in self._side_input_names():
                self._side_inputs._items[id] = self.scheduler.side_packets[name]
            if self._is_constant() and self.scheduler.constants.repeat(self):
                self.state = CLOSED
                self._announce()
            else:
                self._submit(self.id)

    def _is_constant(self) -> bool:
        return not self.queues and not self.streams

    def _side_input_names(self) -> list[tuple[int, str]]:
        ids = self._side_inputs._ids
        return [
            (ids[port.tag, port.index], port.name)
            for port in self.plan.input_side_packets
            if (port.tag, port.index) in ids
        ]

    def open_now(self) -> None:
        self._call(self._open, self.context, self.opened)

    def opened(self, context: CalculatorContext, result: Any, error: BaseException | None) -> None:
        if error is None and result is STOP:
            error = status_error(Code.INTERNAL, "open() returned STOP, which only process() may")
        if error is not None:
            self.state = FAILED
            self._discard(context)
            self.fail("Open", error)
            return
        self.state = OPENED
        if self._is_constant():
            self.scheduler.constants.remember(self)
        self._announce()
        for dependent in self._dependents:
            dependent.one_less_to_wait_for()
        for port in context.outputs._items:
            port.flush(UNSTARTED)
        self._on_opened()

    def _on_opened(self) -> None:
        if self.queues:
            self.idle = True
            self.examine()

    # Deciding what to do next

    def on_packet(self) -> None:
        """A packet came to an input that had none."""
        if self.idle:
            self.examine()

    def on_bound(self) -> None:
        """The bound of an empty input rose. Examined soon, not now: bounds run through long chains.

        Only what a node that processes bounds can take is taken now, so that each bound is a call.
        """
        if self.idle and not self.stirred:
            if self._sees_bounds:
                self._take_settled()
            if self.idle:
                self.stirred = True
                heappush(self.scheduler.stirred, self.id)

    def _take_settled(self) -> None:
        if self.scheduler.failed:
            return
        try:
            if self.handler.readiness() == PROCESS:
                self._take(self.handler.time)
        except Exception as error:
            self.fail("Process", error)

    def examine(self) -> None:
        """Start what the inputs allow; if nothing, pass on how far they are settled."""
        self.stirred = False
        handler = self.handler
        while self.idle and not self.scheduler.failed:
            try:
                verdict = handler.readiness()
                if verdict == NOT_READY:
                    self._settle(handler.time)
                    return
                if verdict == CLOSE:
                    self._prepare_close()
                    return
                self._take(handler.time)
            except Exception as error:
                self.fail("Process", error)

    def _settle(self, bound: int) -> None:
        if self._batch:
            bound = self._batch[0][0]
        if not self._in_flight and is_range(bound):
            for stream in self.streams:
                stream.settle(bound)

    def _take(self, time: int) -> None:
        if self.handler.batch_size > 1:
            items = [EMPTY] * len(self.queues)
            self.handler.fill(time, items)
            self._batch.append((self.handler.time, items))
            if len(self._batch) == self.handler.batch_size:
                self._run_batch()
            return
        context = self._next_context()
        self.handler.fill(time, context.inputs._items)
        # Filling may have settled on a later time (FixedSizeInputStreamHandler).
        context._time = self.handler.time
        self._start(context)

    def _run_batch(self) -> None:
        """Process the first input set of the batch; the rest follows without looking at the inputs."""
        time, items = self._batch.pop(0)
        self._running_batch = bool(self._batch)
        self.context._time = time
        self.context.inputs._items[:] = items
        self._start(self.context)

    def _next_context(self) -> CalculatorContext:
        if self._in_flight_limit == 1:
            return self.context
        context = self._free.pop() if self._free else self._new_context()
        context.done = False
        self._in_order.append(context)
        return context

    def _start(self, context: CalculatorContext) -> None:
        self._in_flight += 1
        self.idle = self._in_flight < self._in_flight_limit
        self._pending.append(context)
        self._submit(self.process_rank)

    def _submit(self, rank: int) -> None:
        if self.lane is None:
            heappush(self._ready, rank)
        else:
            self.scheduler.busy += 1
            self.lane.push(rank)

    # Processing

    def process_now(self) -> None:
        self._call(self.process, self._pending.popleft(), self.processed)

    def job(self, rank: int) -> tuple[Method, CalculatorContext, Callable[..., None]]:
        """What a thread has to call for a rank, with what, and where the result goes."""
        if rank == self.id:
            return self._open, self.context, self.opened
        if rank == self.process_rank + 1:
            return self._close, self.context, self.closed
        return self.process, self._pending.popleft(), self.processed

    def _call(self, method: Method, context: CalculatorContext, then: Callable[..., None]) -> None:
        try:
            result = method(context)
        except BaseException as error:
            self.scheduler.on_interrupt(error)
            then(context, None, error)
            return
        if result is not None and isawaitable(result):
            self.scheduler.start_task(result, then, context)
        else:
            then(context, result, None)

    def processed(
        self, context: CalculatorContext, result: Any, error: BaseException | None
    ) -> None:
        """`process` came back: deliver what it wrote and see what is next."""
        items = context.inputs._items
        items[:] = [EMPTY] * len(items)
        if error is not None:
            self._discard(context)
            self._in_flight -= 1
            self.fail("Process", error)
            return
        self._announce()
        context.done = True
        if self._in_flight_limit == 1:
            self._flush(context)
        else:
            self._flush_in_order()
        self._in_flight -= 1
        self._on_processed(result)

    def _on_processed(self, result: Any) -> None:
        if result is STOP:
            self.scheduler.stop_sources()
        if self._running_batch and not self.scheduler.failed:
            self._run_batch()
        else:
            self.idle = True
            self.examine()

    def _flush(self, context: CalculatorContext) -> None:
        for port in context.outputs._items:
            port.flush(context._time)

    def _flush_in_order(self) -> None:
        """Results leave in the order of their input times, whichever call ended first."""
        waiting = self._in_order
        while waiting and waiting[0].done:
            context = waiting.pop(0)
            self._flush(context)
            self._free.append(context)

    def _discard(self, context: CalculatorContext) -> None:
        for port in context.outputs._items:
            port.discard()

    def _announce(self) -> None:
        """Tell the run of side packets that the calculator set."""
        for port in self.side_ports:
            if port.packet is not EMPTY and not port.announced:
                port.announced = True
                self.scheduler.on_side_packet(port.name, port.packet)

    # Closing

    def _prepare_close(self) -> None:
        if self._in_flight or self.state != OPENED:
            return
        if self._batch:
            self._run_batch()
            return
        self._begin_close()

    def _begin_close(self) -> None:
        self.state = CLOSING
        self.idle = False
        for queue in self.queues:
            queue.close()
        self.context._time = DONE
        self._submit(self.process_rank + 1)

    def close_now(self) -> None:
        self._call(self._close, self.context, self.closed)

    def closed(self, context: CalculatorContext, result: Any, error: BaseException | None) -> None:
        """`close` came back. Once the run has ended, its output and its error are of no interest."""
        self.state = CLOSED
        if self.scheduler.ended:
            self._discard(context)
            return
        self._announce()
        for port in context.outputs._items:
            port.flush_last()
        if error is None and result is STOP:
            error = status_error(Code.INTERNAL, "close() returned STOP, which only process() may")
        if error is not None:
            self.fail("Close", error)

    def clean_up(self) -> None:
        """The run has ended: close what is open, drop what waits."""
        self._batch.clear()
        if self.state == OPENED:
            self._begin_close()
        else:
            for queue in self.queues:
                queue.close()

    def close_without_a_run(self) -> None:
        """The run broke off: give the calculator its `close` all the same, if no call is under way."""
        if self.state == OPENED and not self._in_flight:
            self.state = CLOSED
            self.context._time = DONE
            with suppress(Exception):
                result = self._close(self.context)
                if iscoroutine(result):
                    result.close()

    # What queues tell

    def on_full(self, queue: InputQueue) -> None:
        self.scheduler.throttle.on_full(queue)

    def on_room(self, queue: InputQueue) -> None:
        self.scheduler.throttle.on_room(queue)

    def on_stream_error(self, error: StatusError) -> None:
        self.scheduler.record(error)

    def fail(self, method: str, cause: BaseException) -> None:
        if self.scheduler.tasks.cancelled and isinstance(cause, CancelledError):
            return  # it was told to stop, and did
        self.scheduler.record(CalculatorError(self.name, method, cause))


def runs_inline(kind: type[Calculator]) -> bool:
    """Light and async methods do not hold up the thread that calls them."""
    return kind.light or iscoroutinefunction(kind.process)


def make_handler(plan: NodePlan) -> InputStreamHandler:
    """Raises INVALID_ARGUMENT when the graph configures it wrongly."""
    kind = INPUT_HANDLERS[plan.input_stream_handler or "DefaultInputStreamHandler"]
    try:
        return kind(plan.inputs, plan.handler_options, plan.contract.process_timestamp_bounds)
    except ValueError as error:
        raise status_error(
            Code.INVALID_ARGUMENT,
            f'{plan.location}: {plan.input_stream_handler} of node "{plan.name}": {error}',
        ) from error
