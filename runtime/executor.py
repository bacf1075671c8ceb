"""One model: its graph validated once, its resources opened once, a graph for every request.

Theory of operation
-------------------
Graphs are cheap: what is expensive is opened by `Calculator.load`, once for all graphs of the model, so
that a slow request holds up nobody else's and a graph that failed is thrown away with its request alone.

A request reaches the graph in three steps. `Signature` spreads it over the graph's input streams and makes
an answer of what the output streams carry, by the rules of `packet_kinds`. `request_parameters` says which
parameters are side packets and at what time the packets go in. Then one of three runs it:

    PooledGraph      a started graph that is handed from request to request, where nothing of one request
                     stays for the next: all calculators say that they are stateless, or the graph's author
                     allows it (`# OVMS_GRAPH_QUEUE_MAX_SIZE: AUTO`)
    run_once         a graph for this request alone: any other, and every request that is traced or brings side
                     packets or its own timestamp
    StreamSession    a graph for the life of a stream of requests
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from calcgraph.runtime.config import read_graph
from calcgraph.runtime.counters import Counters
from calcgraph.runtime.errors import Code, RequestError, status_error
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.model_metadata import NodesSaid, metadata_of
from calcgraph.runtime.node_resources import NodeResources
from calcgraph.runtime.payload import InferRequest, InferResponse, Parameter
from calcgraph.runtime.plan import GraphPlan
from calcgraph.runtime.pooled_graph import PooledGraph
from calcgraph.runtime.request_parameters import TIMESTAMP, Clock, side_packets, timestamp
from calcgraph.runtime.request_trace import CURRENT, REQUEST_TRACE, RequestTrace
from calcgraph.runtime.services import MODEL
from calcgraph.runtime.signature import Request, Response, Signature
from calcgraph.runtime.single_run import run_once
from calcgraph.runtime.stream_session import StreamSession
from calcgraph.runtime.validation import plan_graph

_IDLE_GRAPHS: Final = 256
"""How many started graphs are kept for the next requests, if the graph does not say."""
_NOTHING: Final[Mapping[str, Any]] = {}
_POOL: Final = "OVMS_GRAPH_QUEUE_MAX_SIZE"


class GraphExecutor:
    """Runs one model's requests. Belongs to one event loop."""

    def __init__(
        self,
        name: str,
        plan: GraphPlan,
        resources: NodeResources,
        services: Mapping[str, Any] = _NOTHING,
    ) -> None:
        self.name = name
        self.plan = plan
        said = NodesSaid.ask(plan, resources.by_node)
        self._signature = Signature(plan, said.inputs, said.outputs, said.streams)
        self.metadata = metadata_of(name, said, self._signature)
        self._services = {**services, MODEL: self.metadata}
        self._resources = resources
        self._counters = Counters()
        self._threads = ThreadPoolExecutor(thread_name_prefix=f"calcgraph-{name}")
        self._side_packets = frozenset(
            n for n, p in plan.side_packets.items() if p.producer is None
        )
        self._pool_size = _pool_size(plan)
        self._idle: list[PooledGraph] = []
        self._clock = Clock()
        self._closed = False

    @classmethod
    async def open(
        cls,
        name: str,
        graph_file: Path,
        *,
        base_path: Path | None = None,
        text: str = "",
        services: Mapping[str, Any] = _NOTHING,
    ) -> GraphExecutor:
        """Read, validate and load a model. `text` is the graph, if the file is but its name in messages.

        Raises GraphError with all mistakes of the graph file, NOT_FOUND when it is not there, and what a
        calculator's `load` raises.
        """
        plan = await asyncio.to_thread(
            _read_plan, name, graph_file, base_path or graph_file.parent, text
        )
        resources = await NodeResources.load(plan)
        try:
            executor = cls(name, plan, resources, services)
        except BaseException:
            await resources.close()
            raise
        try:
            executor._try_to_open()
        except BaseException:
            await executor.close()
            raise
        return executor

    def _try_to_open(self) -> None:
        """A first graph shows that every node opens, before a request depends on it."""
        if any(packet.required for packet in self.plan.side_packets.values()):
            return
        graph = PooledGraph(self._new_graph())
        if self._pool_size:
            self._idle.append(graph)
        else:
            graph.drop()

    @property
    def ready(self) -> bool:
        """Every node can answer now. Requests are taken until `close`, ready or not."""
        return not self._closed and all(
            node.calculator.ready(self._resources.by_node.get(node.id)) for node in self.plan.nodes
        )

    def measurements(self) -> Iterator[Measurement]:
        """What the nodes measure, each labelled with its node's name, and what they count in all graphs together."""
        for node in self.plan.nodes:
            for each in node.calculator.measurements(self._resources.by_node.get(node.id)):
                yield replace(each, labels={"node": node.name, **each.labels})
        for name, count in self._counters.values().items():
            help = "What calculators count; the counter's name begins with its node's."
            yield Measurement("counter", count, help, total=True, labels={"counter": name})

    async def infer(self, request: Request) -> Response:
        """Answer one request. Raises RequestError for the caller's mistakes, else StatusError."""
        if self._closed:
            raise self._unloading()
        self._signature.require(type(request), self.name)
        self._admit(request)
        packets = self._signature.packets(request)
        time, given = None, {}
        if isinstance(request, InferRequest) and request.parameters:
            time = timestamp(request.parameters)
            given = side_packets(request.parameters, self._side_packets)
        trace = CURRENT.get()
        if self._pool_size and time is None and not given and trace is None:
            time = self._clock.next()
            payloads = await self._ask_pool(packets, time)
        else:
            time = self._clock.next() if time is None else time
            payloads = await run_once(self._new_graph(trace), packets, time, given)
        answer = self._signature.answer(payloads)
        if not isinstance(answer, InferResponse):
            return answer
        return InferResponse(answer.outputs, {**answer.parameters, TIMESTAMP: time})

    def open_stream(self, parameters: Mapping[str, Parameter]) -> StreamSession:
        """Start a graph for a stream of requests; the parameters of the first are its side packets.

        Raises RequestError.
        """
        if self._closed:
            raise self._unloading()
        self._signature.require(InferRequest, self.name)
        given = side_packets(parameters, self._side_packets)
        return StreamSession(self._new_graph(), self._signature, self._admit, given)

    def _admit(self, request: Request) -> None:
        """Raises RequestError if a node will not take it on its terms."""
        if request.terms is not None:
            for node in self.plan.nodes:
                node.calculator.admit(self._resources.by_node.get(node.id), request.terms)

    async def _ask_pool(self, packets: Any, time: int) -> Mapping[str, Any]:
        graph = self._idle.pop() if self._idle else PooledGraph(self._new_graph())
        try:
            payloads = await graph.ask(packets, time)
        except BaseException:
            graph.drop()
            raise
        graph.when_at_rest(lambda: self._keep(graph))
        return payloads

    def _keep(self, graph: PooledGraph) -> None:
        if self._closed or len(self._idle) >= self._pool_size:
            graph.drop()
        else:
            self._idle.append(graph)

    def _unloading(self) -> RequestError:
        return RequestError(
            f"The model '{self.name}' is being unloaded.",
            param="model",
            reason="model_not_ready",
            code=Code.UNAVAILABLE,
        )

    async def close(self) -> None:
        """Close the idle graphs and what `load` opened. Running requests end on their own."""
        self._closed = True
        while self._idle:
            self._idle.pop().drop()
        await self._resources.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _new_graph(self, trace: RequestTrace | None = None) -> CalculatorGraph:
        """With a trace, one whose calls are timed: for the request that is traced alone."""
        return CalculatorGraph(
            plan=self.plan,
            resources=self._resources.by_node,
            services=self._services if trace is None else {**self._services, REQUEST_TRACE: trace},
            listeners=() if trace is None else (trace,),
            counters=self._counters,
            thread_pool=self._threads,
        )


def _read_plan(name: str, graph_file: Path, base_path: Path, text: str) -> GraphPlan:
    graph = read_graph(text or _read(name, graph_file), str(graph_file))
    plan = plan_graph(graph, base_path=base_path)
    Signature(plan)  # raises for streams that no request can feed, before anything is loaded
    return plan


def _read(name: str, graph_file: Path) -> str:
    try:
        return graph_file.read_text("utf-8")
    except FileNotFoundError:
        raise status_error(
            Code.NOT_FOUND, f"model {name!r} has no graph file: expected {graph_file}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise status_error(
            Code.INVALID_ARGUMENT, f"the graph file {graph_file} cannot be read: {error}"
        ) from error


def _pool_size(plan: GraphPlan) -> int:
    """How many graphs may be handed from request to request; 0 gives every request its own."""
    if any(packet.required for packet in plan.side_packets.values()):
        return 0  # these come with the requests
    if any(node.is_source for node in plan.nodes):
        return 0  # it would never rest between two requests
    said = plan.directives.get(_POOL)
    if said is None:
        return _IDLE_GRAPHS if all(node.calculator.stateless for node in plan.nodes) else 0
    return int(said) if said.isascii() and said.isdecimal() else _IDLE_GRAPHS * (said == "AUTO")
