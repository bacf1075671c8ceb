"""One run of a graph: what is ready is run, until nothing is left to run.

Theory of operation
-------------------
All state of a run (queues, bounds, node states) is touched only by the thread that holds the *baton*, a
lock that nobody ever waits for. Whoever has something to say to the run, an application thread with a
packet or a worker with a result, appends an event to the *inbox* and tries to take the baton. If it gets
it, it drains the run: it handles events and runs light nodes until there is nothing left, lets go of the
baton, and looks at the inbox once more, since an event may have come between the last look and the letting
go. If it does not get the baton, the holder will find the event. So there are no lock orders, and a
calculator or an observer that talks to its own graph from within a call is simply queued.

A packet moves like this. `feed` hands it to the stream's readers. A node's queue that was empty tells
its node, the node asks its input stream handler whether an input set is complete, takes it out of the
queues, and puts its rank on the heap of ready work: `ready` for what runs inline, a lane for what runs on
threads. The drain takes the best rank (opening before processing, downstream before upstream), calls the
calculator, and hands what it wrote to the next queues. The heaps hold nothing but ints; `_steps` says what
to call for each.

    rank of node i of n:   open i,   process n + 2(n-1-i),   close one more than process

Light calculators and `async def` ones run inline: the call of the latter gives a coroutine, which becomes a
task on the event loop that the run belongs to. Others are called by a thread of their executor. In
`busy` the run counts what is out, on threads or as tasks.

A bound that rises without a packet may have to travel through a thousand idle nodes, so it does not
recurse: the node is *stirred*, and examined from the loop, upstream first.

When nothing is ready and nothing is out, the graph is at rest: it ends (an error, or nothing left to feed
it), or the next layer of sources starts, or a deadlock of full queues is resolved, or it waits for the
application. At the end nodes that are still open are closed; only then is the run done.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from heapq import heappop
from threading import Event, Lock, get_ident, main_thread
from typing import Any

from calcgraph.runtime.chain_node import ChainNode, is_chain
from calcgraph.runtime.constants import Constants
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.counters import Counters
from calcgraph.runtime.errors import CalculatorError, Code, RunError, StatusError, status_error
from calcgraph.runtime.executors import (
    ApplicationLane,
    Lane,
    Outcome,
    PoolLane,
    program_is_ending,
)
from calcgraph.runtime.graph_input import GraphInput
from calcgraph.runtime.node import Node, make_handler, runs_inline
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.plan import GraphPlan, NodePlan
from calcgraph.runtime.sources import SourceNode, Sources
from calcgraph.runtime.streams import UNLIMITED, OutputStream
from calcgraph.runtime.tasks import Returned, Tasks, call_on
from calcgraph.runtime.throttling import Feeder, Throttle
from calcgraph.runtime.timestamp import UNSTARTED
from calcgraph.runtime.watch import Watch

log = logging.getLogger("calcgraph.graph")

_MOST_ERRORS = 1000
"""How many errors of one run are kept."""
_PATIENCE = 256
"""How many results of threads one caller handles before it hands the baton on."""
_SOURCE_ID_BITS = 32
_SOURCE_TIME_BITS = 65


class Scheduler:
    """The run. Public methods may be called from any thread, also from within calculators."""

    def __init__(
        self,
        plan: GraphPlan,
        *,
        pool: Callable[[str], Executor],
        application_thread: bool = False,
        counters: Counters,
        constants: Constants,
        services: Mapping[str, Any],
        side_packets: Mapping[str, Packet],
        resources: Mapping[int, Any],
        watch: Watch | None = None,
        on_error: Callable[[StatusError], None] | None = None,
        on_idle: Callable[[], None] | None = None,
    ) -> None:
        self.plan = plan
        self.counters = counters
        self.constants = constants
        self.services = services
        self.side_packets = dict(side_packets)
        self.watch = watch
        self._on_error = on_error
        self._on_idle = on_idle
        self._pool = pool
        self._lanes: dict[str, Lane] = {}
        self._application = (
            ApplicationLane(self._work, self.post, self._wake) if application_thread else None
        )

        self._baton = Lock()
        self._holder = 0
        self._inbox: deque[tuple[Any, ...]] = deque()
        self.ready: list[int] = []
        self.stirred: list[int] = []
        self.busy = 0
        self._at_rest = False

        self.errors: list[StatusError] = []
        self.failed = False
        self.ended = False
        """Nothing more will be processed; open nodes are being closed."""
        self.done = False
        self.observed = False
        """An observer saw a packet since the application last asked."""
        self._interrupt: KeyboardInterrupt | None = None
        self._wakers: list[Callable[[], None]] = []

        self.tasks = Tasks(self._on_task)
        self._build(resources)

    # Building

    def _build(self, resources: Mapping[int, Any]) -> None:
        plan = self.plan
        self.streams = {
            name: OutputStream(name, stream.type, _offset(plan, stream.producer))
            for name, stream in plan.streams.items()
        }
        self.nodes: list[Node] = []
        limit = plan.max_queue_size if plan.max_queue_size > 0 else UNLIMITED
        for node_plan in plan.nodes:
            self.nodes.append(self._make_node(node_plan, limit, resources.get(node_plan.id)))
        self.inputs = {
            port.name: GraphInput(self, self.streams[port.name]) for port in plan.input_streams
        }
        self.open_inputs = len(self.inputs)
        if self.watch is not None:
            for name in self.inputs:
                self.streams[name].readers.insert(0, self.watch.stopwatch.tap(name))
        sources = [node for node in self.nodes if isinstance(node, SourceNode)]
        self.sources = Sources(self, sources)
        feeders: dict[str | int, Feeder] = dict(self.inputs.items())
        feeders.update((node.id, node) for node in sources)
        self.throttle = Throttle(self, feeders)
        self._count_what_opens_wait_for()
        self._steps: list[Callable[[], None]] = [node.open_now for node in self.nodes]
        for node in reversed(self.nodes):
            self._steps += (node.process_now, node.close_now)

    def _make_node(self, plan: NodePlan, limit: int, resource: Any) -> Node:
        try:
            calculator = plan.calculator()
        except Exception as error:
            raise CalculatorError(plan.name, "__init__", error) from error
        handler = make_handler(plan)
        watched = self.watch is not None and self.watch.stopwatch.watches(plan)
        if self.watch is not None and watched:
            handler = self.watch.overheard(handler, plan)
        kind = SourceNode if plan.is_source else ChainNode if is_chain(plan, handler) else Node
        node = kind(self, plan, calculator, self._lane_of(plan), resource)
        node.wire(handler, self.streams, limit, self.side_packets)
        if self.watch is not None and watched:
            node.watch(self.watch.stopwatch)
        return node

    def _lane_of(self, plan: NodePlan) -> Lane | None:
        # A light source runs on a thread all the same: inline, an endless one would never let go.
        if runs_inline(plan.calculator) and not plan.is_source:
            return None
        if not plan.executor and self._application is not None:
            return self._application
        lane = self._lanes.get(plan.executor)
        if lane is None:
            pool = partial(self._pool, plan.executor)
            lane = self._lanes[plan.executor] = PoolLane(self._work, self.post, self._refuse, pool)
        return lane

    def _count_what_opens_wait_for(self) -> None:
        for stream in self.plan.streams.values():
            if stream.producer is not None:
                for reader, port in stream.consumers:
                    if port not in self.nodes[reader].plan.back_edges:
                        self.nodes[stream.producer[0]].add_dependent(self.nodes[reader])
        for name, packet in self.plan.side_packets.items():
            if packet.producer is not None and name not in self.side_packets:
                for reader, _ in packet.consumers:
                    self.nodes[reader].waiting += 1

    # Ranks

    def process_rank(self, id: int) -> int:
        n = len(self.plan.nodes)
        return n + 2 * (n - 1 - id)

    def source_rank(self, node: Node) -> int:
        """After all others; lower layers first, then the source that is furthest behind."""
        behind = min(stream.bound for stream in node.streams) - UNSTARTED
        order = (node.plan.source_layer + 1) << _SOURCE_TIME_BITS | behind
        return order << _SOURCE_ID_BITS | node.id

    def _node_of(self, rank: int) -> Node:
        n = len(self.nodes)
        if rank < n:
            return self.nodes[rank]
        if rank < 3 * n:
            return self.nodes[n - 1 - (rank - n) // 2]
        return self.nodes[rank & (1 << _SOURCE_ID_BITS) - 1]

    # From outside

    def start(self) -> None:
        self.post((self._open_all,))

    def _open_all(self) -> None:
        for node in self.nodes:
            if not node.waiting:
                node.schedule_open()

    def feed(self, source: GraphInput, packet: Packet) -> None:
        """Put a packet into the graph, running what it makes ready as far as that runs inline."""
        if not self._may_drain_here() or not self._baton.acquire(blocking=False):
            source.posted += 1
            self.post((source.deliver_posted, packet))
            return
        # What follows is `drain`, without the detour of one event through the inbox.
        self._holder = get_ident()
        self._at_rest = False
        try:
            while self._inbox:
                self._handle(self._inbox.popleft())
            source.stream.send(packet)
            finished = self._run()
        except BaseException as error:
            self._break(error)
            raise
        finally:
            self._let_go()
        if not finished:
            self._continue_elsewhere()
        elif self._inbox or self._interrupt is not None:
            self.drain()

    def post(self, event: tuple[Any, ...]) -> None:
        """Tell the run something, from any thread: a function to call under the baton, and its arguments."""
        self._inbox.append(event)
        if not self._may_drain_here() and self.tasks.call_soon(self.drain):
            self._wake()  # who waits drains too: it may be the loop's own thread that waits
        else:
            self.drain()

    def _may_drain_here(self) -> bool:
        """A run that belongs to a loop is drained on its thread, so that observers are called there."""
        return self.tasks.loop is None or self.tasks.is_on_loop()

    def record(self, error: StatusError) -> None:
        """Something failed: the run will end with this error."""
        if len(self.errors) < _MOST_ERRORS:
            self.errors.append(error)
        self.failed = True
        if self._on_error is not None:
            try:
                self._on_error(error)
            except Exception:
                log.exception("the error callback raised")

    def cancel(self) -> None:
        """End the run without waiting: tasks are cancelled, calls that run on threads are let finish."""
        if self.done or self.tasks.cancelled:
            return
        self.record(status_error(Code.CANCELLED, "CalculatorGraph::Cancel() was called"))
        self.post((self.tasks.cancel,))

    def abandon(self) -> None:
        """The graph object is gone, and its pools may be: close inline what is not at work."""
        for node in self.nodes:
            node.lane = None
        self.cancel()

    def stop_sources(self) -> None:
        """Sources are closed instead of called, from now on."""
        self.sources.stopping = True

    def is_held_by_this_thread(self) -> bool:
        """Whether the caller is a calculator or observer that this run is calling inline."""
        return self._holder == get_ident()

    def combined_error(self, prefix: str) -> RunError:
        return RunError(prefix, tuple(self.errors))

    # Waiting

    def is_idle(self) -> bool:
        # The inbox first: the holder says that it is not at rest before it takes an event out.
        return self.done or (not self._inbox and self._at_rest)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Block until the condition holds, helping to get there."""
        if condition():
            return
        if self.is_held_by_this_thread():
            raise status_error(
                Code.FAILED_PRECONDITION,
                "a calculator or observer cannot wait for the graph that is calling it",
            )
        event = Event()
        self._wakers.append(event.set)
        try:
            while True:
                self.drain()
                while self._application is not None and self._application.serve_one():
                    if condition():
                        return
                if condition():
                    return
                self._refuse_to_block_the_loop()
                event.wait()
                event.clear()
        finally:
            self._wakers.remove(event.set)

    def _refuse_to_block_the_loop(self) -> None:
        if self.tasks.would_block_here():
            raise status_error(
                Code.FAILED_PRECONDITION,
                "this would block the event loop that the graph's async calculators run on; "
                "await the graph's until_idle() or until_done() instead",
            )

    async def wait_async(self, condition: Callable[[], bool]) -> None:
        """The same for a coroutine, on any loop."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        wake = partial(call_on, loop, woken.set)
        self._wakers.append(wake)
        try:
            while not condition():
                self.drain()
                if condition():
                    return
                await woken.wait()
                woken.clear()
        finally:
            self._wakers.remove(wake)

    def _wake(self) -> None:
        for waker in tuple(self._wakers):
            waker()

    # The drain

    def drain(self) -> None:
        """Handle what is in the inbox, unless somebody else is at it."""
        while self._inbox and self._baton.acquire(blocking=False):
            self._holder = get_ident()
            self._at_rest = False
            try:
                finished = self._run()
            except BaseException as error:
                self._break(error)
                raise
            finally:
                self._let_go()
            if not finished:
                self._continue_elsewhere()
                return
        if self._interrupt is not None and _is_main_thread() and not self.is_held_by_this_thread():
            interrupt, self._interrupt = self._interrupt, None
            raise interrupt

    def _let_go(self) -> None:
        self._holder = 0
        self._baton.release()
        if self._wakers:
            self._wake()

    def _run(self) -> bool:
        """Until there is nothing to do: True. False when others kept it busy for too long."""
        ready, stirred, steps, inbox = self.ready, self.stirred, self._steps, self._inbox
        nodes = self.nodes
        patience = _PATIENCE
        while True:
            if stirred:
                nodes[heappop(stirred)].examine()
            elif ready:
                steps[heappop(ready)]()
            elif inbox:
                if self._lanes:
                    patience -= 1
                    if not patience:
                        return False
                self._handle(inbox.popleft())
            elif self.busy or not self._rest():
                break
        self._at_rest = not self.busy
        return True

    def _continue_elsewhere(self) -> None:
        """Results of threads came in as fast as they were handled: a caller is not to be kept by that."""
        if not self.tasks.call_soon(self.drain):
            self._pool("").submit(self.drain)

    def _handle(self, event: tuple[Any, ...]) -> None:
        event[0](*event[1:])

    def _rest(self) -> bool:
        """Nothing is ready and nothing is out. True if that could be changed."""
        if self.done:
            return False
        if self.ended:
            self._finish()
            return False
        if self.failed or not (self.open_inputs or self.sources.alive):
            self._end()
            return True
        if self.sources.start_next_layer():
            return True
        if self.throttle.full and self.throttle.resolve_deadlock():
            return True
        return self._on_idle is not None and self._tell_idle(self._on_idle)

    def _tell_idle(self, callback: Callable[[], None]) -> bool:
        try:
            callback()
        except Exception as error:
            text = f"the idle callback failed: {type(error).__name__}: {error}"
            self.record(status_error(Code.UNKNOWN, text))
            return True
        return bool(self._inbox)

    def _end(self) -> None:
        self.ended = True
        for node in self.nodes:
            node.clean_up()

    def _finish(self) -> None:
        if self.watch is not None:
            self.watch.run_ended()
        self.tasks.stop()
        self.done = True

    def _break(self, error: BaseException) -> None:
        """The scheduler itself was interrupted, by Ctrl-C or a mistake of ours: end, whatever is left."""
        self.record(
            status_error(Code.INTERNAL, f"the run broke off: {type(error).__name__}: {error}")
        )
        self.ended = self.done = True
        self.ready.clear()
        self.stirred.clear()
        self._inbox.clear()
        for node in self.nodes:
            node.close_without_a_run()
        self.tasks.stop()

    def on_interrupt(self, error: BaseException) -> None:
        """Ctrl-C hit a calculator: it is the node's error, and goes on to the application."""
        if isinstance(error, KeyboardInterrupt) and _is_main_thread():
            self._interrupt = error

    # What comes back from threads and tasks

    def _work(self, rank: int) -> Outcome:
        """On a thread, without the baton: call what the rank stands for."""
        if program_is_ending():
            self.cancel()  # or an endless source would keep it
        method, context, then = self._node_of(rank).job(rank)
        try:
            return (self._returned, then, context, method(context), None)
        except BaseException as error:
            self.on_interrupt(error)
            return (self._returned, then, context, None, error)

    def _refuse(self, rank: int) -> Outcome:
        """Its executor is gone: closing goes on all the same, all else is an error."""
        node = self._node_of(rank)
        if rank == node.process_rank + 1:
            return self._work(rank)
        _, context, then = node.job(rank)
        error = status_error(Code.CANCELLED, "the executor was shut down before it could run this")
        return (self._returned, then, context, None, error)

    def _returned(
        self,
        then: Returned,
        context: CalculatorContext,
        result: Any,
        error: BaseException | None,
    ) -> None:
        self.busy -= 1
        if isinstance(result, Awaitable):
            self.start_task(result, then, context)
        else:
            then(context, result, error)

    def start_task(
        self, awaitable: Awaitable[Any], then: Returned, context: CalculatorContext
    ) -> None:
        self.busy += 1
        self.tasks.start(awaitable, then, context)

    def _on_task(
        self,
        then: Returned,
        context: CalculatorContext,
        result: Any,
        error: BaseException | None,
    ) -> None:
        """A task ended; this is the loop's thread."""
        self._inbox.append((self._returned, then, context, result, error))
        self.drain()

    # What nodes tell

    def on_side_packet(self, name: str, packet: Packet) -> None:
        self.side_packets[name] = packet
        for reader, _ in self.plan.side_packets[name].consumers:
            self.nodes[reader].one_less_to_wait_for()


def _offset(plan: GraphPlan, producer: tuple[int, int] | None) -> int | None:
    return None if producer is None else plan.nodes[producer[0]].contract.timestamp_offset


def _is_main_thread() -> bool:
    return get_ident() == main_thread().ident
