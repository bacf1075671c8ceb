"""A graph as an application meets it, with the names of MediaPipe's Python binding."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from enum import IntEnum
from types import TracebackType
from typing import Any

from google.protobuf.message import Message

from calcgraph.proto.profile_pb2 import CalculatorProfile, GraphProfile
from calcgraph.runtime.calls import Listener
from calcgraph.runtime.canonical import config_text
from calcgraph.runtime.constants import Constants
from calcgraph.runtime.context import check_type
from calcgraph.runtime.counters import Counters
from calcgraph.runtime.errors import CalculatorError, Code, StatusError, status_error
from calcgraph.runtime.executors import Pools
from calcgraph.runtime.graph_input import GraphInput
from calcgraph.runtime.observers import Callback, Observer, OutputStreamPoller
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.plan import GraphPlan
from calcgraph.runtime.registry import REGISTRY, Registry
from calcgraph.runtime.runtime_info import NodeInfo, runtime_info
from calcgraph.runtime.scheduler import Scheduler
from calcgraph.runtime.services import services_for
from calcgraph.runtime.timestamp import POST_STREAM, PRE_STREAM, UNSET, text
from calcgraph.runtime.validated_graph_config import ValidatedGraphConfig, one_config
from calcgraph.runtime.validation import plan_graph
from calcgraph.runtime.watch import Watch

log = logging.getLogger("calcgraph.graph")


class GraphInputStreamAddMode(IntEnum):
    """What adding a packet does while the graph is throttled."""

    WAIT_TILL_NOT_FULL = 0
    ADD_IF_NOT_FULL = 1


class CalculatorGraph:
    """A graph and, one after another, its runs.

    Give one of `graph_config` (text or message), `binary_graph_path`, `validated_graph_config` or `plan`.

    resources: what `cc.resource` is, by node id. Without it the graph calls every class's `load` when it
        is first started, and `unload` when it goes.
    thread_pool: runs the calculators that are neither light nor async; it stays the caller's. Without it
        the graph has threads of its own.
    side_packets: given to every run.
    executors: by the name that the graph declares, instead of the graph's own pools.
    services: by key; see `cc.service`.
    listeners: told of every call of a calculator, timed; without any, and without `profiler_config`, calls
        are not timed.
    counters: those of graphs that count together; the graph's own unless given.
    registry, subgraphs: where the names of calculators and subgraphs come from; see `plan_graph`.

    Started within a running event loop, the graph belongs to it: async calculators are tasks on it, and
    results of threads are handled on it. Otherwise it has a loop in a thread of its own when it needs one.
    """

    def __init__(
        self,
        *,
        graph_config: str | Message | None = None,
        binary_graph_path: str | os.PathLike[str] | None = None,
        validated_graph_config: ValidatedGraphConfig | None = None,
        plan: GraphPlan | None = None,
        resources: Mapping[int, Any] | None = None,
        thread_pool: Executor | None = None,
        side_packets: Mapping[str, Any] | None = None,
        executors: Mapping[str, Executor] | None = None,
        services: Mapping[str, Any] | None = None,
        listeners: Sequence[Listener] = (),
        counters: Counters | None = None,
        registry: Registry = REGISTRY,
        subgraphs: Iterable[Message | str] = (),
    ) -> None:
        self._run: Scheduler | None = None
        self._last: Scheduler | None = None
        self.plan = _plan(
            graph_config,
            binary_graph_path,
            validated_graph_config,
            plan,
            executors=tuple(executors or ()),
            services=services or {},
            registry=registry,
            subgraphs=subgraphs,
        )
        self._resources = resources
        self._loaded: dict[int, Any] = {}
        self._side_packets = _packets(side_packets or {})
        self._services = dict(services or {})
        self._pools = Pools(_pool_sizes(self.plan), thread_pool)
        for name, executor in (executors or {}).items():
            self._pools.give(name, executor)
        self._application_thread = _on_application_thread(self.plan) and thread_pool is None
        self._observers: list[tuple[str, Callback, bool]] = []
        self._pollers: list[OutputStreamPoller] = []
        self._on_error: Callable[[StatusError], None] | None = None
        self._on_idle: Callable[[], None] | None = None
        self._watch = Watch.asked_for(self.plan, listeners)
        self._constants = Constants()
        self.counters = counters or Counters()
        self.graph_input_stream_add_mode = GraphInputStreamAddMode.WAIT_TILL_NOT_FULL

    # Before a run

    @property
    def text_config(self) -> str:
        """The canonical form of the graph."""
        return config_text(self.plan.config)

    @property
    def binary_config(self) -> bytes:
        return self.plan.config.SerializeToString()

    @property
    def max_queue_size(self) -> int:
        return self.plan.max_queue_size

    def observe_output_stream(
        self, stream_name: str, callback: Callback, observe_timestamp_bounds: bool = False
    ) -> None:
        """Have `callback(stream_name, packet)` called for each packet of any stream of the graph.

        With bounds, also with an empty packet for each newly settled time. Calls come one at a time and in
        order, on the thread that runs the graph: a slow callback slows the graph. Raises NOT_FOUND.
        """
        self._before_a_run("observe_output_stream")
        self._require_stream(stream_name)
        self._observers.append((stream_name, callback, observe_timestamp_bounds))

    def add_output_stream_poller(
        self, stream_name: str, observe_timestamp_bounds: bool = False
    ) -> OutputStreamPoller:
        """A queue of the stream's packets for the application to take from. Raises NOT_FOUND."""
        self._before_a_run("add_output_stream_poller")
        self._require_stream(stream_name)
        poller = OutputStreamPoller(stream_name, observe_timestamp_bounds)
        self._pollers.append(poller)
        return poller

    def set_error_callback(self, callback: Callable[[StatusError], None]) -> None:
        """Have each error told as it is recorded, on any thread; `has_error` is already true then."""
        self._before_a_run("set_error_callback")
        self._on_error = callback

    def set_idle_callback(self, callback: Callable[[], None]) -> None:
        """Have it told when the graph comes to rest and waits for packets."""
        self._before_a_run("set_idle_callback")
        self._on_idle = callback

    def set_service(self, key: str, value: Any) -> None:
        """Give calculators the object that `cc.service(key)` returns."""
        self._before_a_run("set_service")
        self._services[key] = value

    def _before_a_run(self, deed: str) -> None:
        if self._run is not None:
            raise status_error(
                Code.FAILED_PRECONDITION, f"{deed}() comes before start_run(); the graph is running"
            )

    def _require_stream(self, name: str) -> None:
        if name not in self.plan.streams:
            raise status_error(
                Code.NOT_FOUND,
                f'the graph has no stream "{name}"; it has {", ".join(sorted(self.plan.streams))}',
            )

    # A run

    def start_run(self, input_side_packets: Mapping[str, Any] | None = None) -> None:
        """Begin a run with new calculators and empty streams. Values stand for packets that hold them.

        Raises what is wrong with the side packets; the graph can then be started again.
        """
        self._before_a_run("start_run")
        side_packets = self._run_side_packets(_packets(input_side_packets or {}))
        if self._resources is None:
            self._load()
        run = Scheduler(
            self.plan,
            pool=self._pools.get,
            application_thread=self._application_thread,
            counters=self.counters,
            constants=self._constants,
            services=services_for(self.plan, self._services),
            side_packets=side_packets,
            watch=self._watch,
            resources=self._loaded if self._resources is None else self._resources,
            on_error=self._on_error,
            on_idle=self._on_idle,
        )
        for name, callback, bounds in self._observers:
            Observer(run, name, callback, bounds).attach()
        for poller in self._pollers:
            poller.attach(run)
        self._run = self._last = run
        run.start()

    def check_side_packets(self, input_side_packets: Mapping[str, Any]) -> None:
        """Raises what `start_run` would raise of these side packets."""
        self._run_side_packets(_packets(input_side_packets))

    def _run_side_packets(self, given: dict[str, Packet]) -> dict[str, Packet]:
        problems: list[tuple[Code, str]] = []
        for name in given.keys() & self._side_packets.keys():
            problems.append((Code.ALREADY_EXISTS, f'Side packet "{name}" was already provided.'))
        packets = {**self._side_packets, **given}
        for name, side_packet in self.plan.side_packets.items():
            packet = packets.get(name)
            if packet is None:
                if side_packet.required and side_packet.producer is None:
                    problems.append(
                        (
                            Code.INVALID_ARGUMENT,
                            f'Side packet "{name}" is required but was not provided.',
                        )
                    )
            elif side_packet.producer is not None:
                problems.append(
                    (
                        Code.UNKNOWN,
                        f'Side packet "{name}" is made by the graph and cannot be given.',
                    )
                )
            elif side_packet.type is not None:
                try:
                    check_type(f'Side packet "{name}"', packet.value, side_packet.type)
                except StatusError as error:
                    problems.append((error.code, error.message))
        if problems:
            codes = {code for code, _ in problems}
            raise status_error(
                codes.pop() if len(codes) == 1 else Code.UNKNOWN,
                "\n".join(message for _, message in problems),
            )
        return packets

    def _load(self) -> None:
        for node in self.plan.nodes:
            if node.id not in self._loaded:
                try:
                    self._loaded[node.id] = node.calculator.load(node, self.plan)
                except Exception as error:
                    raise CalculatorError(node.name, "load", error) from error

    def _unload(self) -> None:
        while self._loaded:
            id, resource = self._loaded.popitem()
            if resource is not None:
                try:
                    _see_through(self.plan.nodes[id].calculator.unload(resource))
                except Exception:
                    log.exception("unload of node %s failed", self.plan.nodes[id].name)

    def add_packet_to_input_stream(
        self, stream: str, packet: Packet, timestamp: int | None = None
    ) -> None:
        """Put a packet into a graph input stream, at `timestamp` or else at its own time.

        While the graph is throttled this waits, or raises UNAVAILABLE if `graph_input_stream_add_mode` is
        ADD_IF_NOT_FULL. Called from a calculator or observer of the same graph it never waits.
        Not for concurrent calls on one stream.
        """
        run = self._run
        if run is None:
            raise status_error(
                Code.FAILED_PRECONDITION,
                "CalculatorGraph::AddPacketToInputStream() is called before StartRun()",
            )
        source = run.inputs.get(stream)
        if source is None:
            raise self._not_an_input("AddPacketToInputStream", stream)
        if timestamp is not None and timestamp != UNSET:
            packet = Packet(packet._payload, timestamp)
        elif type(packet) is not Packet:  # one that the application may stamp anew
            packet = Packet(packet._payload, packet._time)
        if not PRE_STREAM <= packet._time <= POST_STREAM:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"{text(packet._time)} can't be the timestamp of a Packet in a stream.",
            )
        if run.failed or source.held_back:
            self._wait_for_room(run, source)
        source.add(packet)

    def _wait_for_room(self, run: Scheduler, source: GraphInput) -> None:
        if not run.failed:
            if self.graph_input_stream_add_mode == GraphInputStreamAddMode.ADD_IF_NOT_FULL:
                raise status_error(Code.UNAVAILABLE, "Graph is throttled.")
            if not run.is_held_by_this_thread():
                run.wait(lambda: not source.held_back or run.failed or run.done)
        if run.failed:
            raise run.combined_error("Graph has errors: ")

    def set_input_stream_timestamp_bound(self, stream: str, timestamp: int) -> None:
        """Promise that no packet earlier than `timestamp` will be added to the stream."""
        self._input("SetInputStreamTimestampBound", stream).set_bound(timestamp)

    def close_input_stream(self, stream: str) -> None:
        """Say that no more packets will be added to the stream."""
        self._input("CloseInputStream", stream).close()

    def close_all_input_streams(self) -> None:
        for source in self._running("CloseAllInputStreams").inputs.values():
            source.close()

    def close_all_packet_sources(self) -> None:
        """Close the graph's input streams, and its sources at their next turn."""
        run = self._running("CloseAllPacketSources")
        run.post((run.stop_sources,))
        self.close_all_input_streams()

    def wait_until_idle(self) -> None:
        """Wait until nothing is queued or running. Raises the run's errors, which stay recorded."""
        run = self._running("WaitUntilIdle")
        run.wait(run.is_idle)
        self._raise_errors(run)

    def wait_until_done(self) -> None:
        """Wait for the end of the run and raise its errors. Then the graph can be started again.

        Does not close the graph's inputs: while one is open only an error ends the run.
        """
        run = self._running("WaitUntilDone")
        run.wait(lambda: run.done)
        self._finish(run)

    async def until_idle(self) -> None:
        """`wait_until_idle` for a coroutine."""
        run = self._running("WaitUntilIdle")
        await run.wait_async(run.is_idle)
        self._raise_errors(run)

    async def until_done(self) -> None:
        """`wait_until_done` for a coroutine."""
        run = self._running("WaitUntilDone")
        await run.wait_async(lambda: run.done)
        self._finish(run)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds or the run is over; it is looked at whenever the run did something."""
        run = self._running("Until")
        await run.wait_async(lambda: condition() or run.done)

    async def until_room(self, stream: str) -> None:
        """Wait until a graph input stream is not held back by full queues, or the run has ended or failed."""
        run, source = self._running("UntilRoom"), self._input("UntilRoom", stream)
        await run.wait_async(lambda: not source.held_back or run.failed or run.done)

    def wait_for_observed_output(self) -> None:
        """Wait for a packet at an observer since the last such call. Raises OUT_OF_RANGE at the end."""
        run = self._running("WaitForObservedOutput")
        run.wait(lambda: run.observed or run.done)
        if not run.observed:
            self._raise_errors(run)
            raise status_error(Code.OUT_OF_RANGE, "Graph is done.")
        run.observed = False

    def _finish(self, run: Scheduler) -> None:
        self._run = None
        self._raise_errors(run)

    def _raise_errors(self, run: Scheduler) -> None:
        if run.failed:
            raise run.combined_error("CalculatorGraph::Run() failed: ")

    def cancel(self) -> None:
        """End the run with CANCELLED. Does not wait; tasks are cancelled, threads are let finish."""
        if self._run is not None:
            self._run.cancel()

    def close(self) -> None:
        """Close all packet sources, wait for the end of the run and raise its errors.

        The graph's threads and resources go; it may still be started again.
        """
        try:
            if self._run is not None:
                self.close_all_packet_sources()
                self.wait_until_done()
        finally:
            self._pools.close()
            self._unload()

    def __enter__(self) -> CalculatorGraph:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
            return
        self.cancel()
        with suppress(StatusError):  # what left the block says more
            self.close()

    def __del__(self) -> None:
        run = getattr(self, "_run", None)
        if run is not None:
            run.abandon()
        if hasattr(self, "_pools"):
            self._pools.close()
            self._unload()

    # What a run says of itself

    def has_error(self) -> bool:
        return self._run is not None and self._run.failed

    def get_combined_error_message(self) -> str:
        """The run's errors in one text, "" if there are none."""
        if self._run is None or not self._run.failed:
            return ""
        error = self._run.combined_error("CalculatorGraph::Run() failed: ")
        return f"{error.code.name}: {error.message}"

    def get_output_side_packet(self, packet_name: str) -> Packet:
        """A side packet of this run, or of the last one. Raises NOT_FOUND, UNAVAILABLE if not there yet."""
        if packet_name not in self.plan.side_packets:
            raise status_error(Code.NOT_FOUND, f'the graph has no side packet "{packet_name}"')
        packet = self._last.side_packets.get(packet_name) if self._last is not None else None
        if packet is None:
            raise status_error(Code.UNAVAILABLE, f'side packet "{packet_name}" is not available')
        return packet

    def get_runtime_info(self) -> list[NodeInfo]:
        """The state and the queues of every node, at this moment. Empty when the graph is not running."""
        return runtime_info(self._run) if self._run is not None else []

    def get_calculator_profiles(self) -> list[CalculatorProfile]:
        """What the nodes' calls took, over all runs. Empty unless `profiler_config` enables the profiler."""
        return self._watch.profiles() if self._watch is not None else []

    def capture_profile(self) -> GraphProfile:
        """Trace and profiles since the last capture, with the graph's config; then they start anew."""
        if self._watch is None:
            return GraphProfile(config=self.plan.config)
        return self._watch.capture()

    def chrome_trace(self) -> Mapping[str, Any]:
        """The trace as an object for `json.dump`, which ui.perfetto.dev opens.

        Raises FAILED_PRECONDITION unless the graph says `profiler_config { trace_enabled: true }`.
        """
        tracer = self._watch.tracer if self._watch is not None else None
        if tracer is None:
            raise status_error(
                Code.FAILED_PRECONDITION,
                "the graph keeps no trace: it has to say profiler_config { trace_enabled: true }",
            )
        return tracer.chrome_trace()

    def _running(self, deed: str) -> Scheduler:
        if self._run is None:
            raise status_error(
                Code.FAILED_PRECONDITION, f"CalculatorGraph::{deed}() is called before StartRun()"
            )
        return self._run

    def _input(self, deed: str, stream: str) -> GraphInput:
        source = self._running(deed).inputs.get(stream)
        if source is None:
            raise self._not_an_input(deed, stream)
        return source

    def _not_an_input(self, deed: str, stream: str) -> StatusError:
        names = ", ".join(port.name for port in self.plan.input_streams) or "none"
        return status_error(
            Code.INTERNAL,
            f'{deed} called on input stream "{stream}" which is not a graph input stream; '
            f"there are: {names}",
        )


def _plan(
    graph_config: str | Message | None,
    binary_graph_path: str | os.PathLike[str] | None,
    validated_graph_config: ValidatedGraphConfig | None,
    plan: GraphPlan | None,
    **about: Any,
) -> GraphPlan:
    given = (graph_config, binary_graph_path, validated_graph_config, plan)
    if sum(one is not None for one in given) != 1:
        raise status_error(
            Code.INVALID_ARGUMENT,
            "Please provide one of the following: 'binary_graph_path', the path of a binary graph; "
            "'graph_config', a graph's text or message; 'validated_graph_config'; or 'plan'.",
        )
    if plan is not None:
        return plan
    if validated_graph_config is not None:
        return validated_graph_config.plan
    path = None if binary_graph_path is None else os.fspath(binary_graph_path)
    return plan_graph(one_config(graph_config, path), **about)


_closing: set[asyncio.Future[None]] = set()
"""What still unloads on an event loop; the loop itself holds its tasks only weakly."""


def _see_through(unloading: Awaitable[None] | None) -> None:
    """Run an `async def unload` to its end, or have the running event loop do so."""
    if unloading is None:
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_wait_for(unloading))
    else:
        task = asyncio.ensure_future(unloading)
        _closing.add(task)
        task.add_done_callback(_closing.discard)


async def _wait_for(unloading: Awaitable[None]) -> None:
    await unloading


def _packets(values: Mapping[str, Any]) -> dict[str, Packet]:
    return {
        name: value if isinstance(value, Packet) else Packet(value)
        for name, value in values.items()
    }


def _pool_sizes(plan: GraphPlan) -> dict[str, int]:
    """Threads by executor name."""
    return {name: executor.num_threads for name, executor in plan.executors.items()}


def _on_application_thread(plan: GraphPlan) -> bool:
    default = plan.executors.get("")
    return default is not None and default.type == "ApplicationThreadExecutor"
