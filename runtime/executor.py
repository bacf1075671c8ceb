"""One model: its graph validated once, its resources opened once, a pool of graphs that take requests.

A started graph answers one request at a time, so that a slow request holds up nobody else's, and a graph
that failed is thrown away with its request alone. Graphs are cheap: what is expensive is opened by
`Calculator.load`, once for the whole pool.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from calcgraph.runtime.config import read_graph
from calcgraph.runtime.errors import (
    CalculatorError,
    Code,
    GraphError,
    Problem,
    RequestError,
    RunError,
    StatusError,
    status_error,
)
from calcgraph.runtime.fingerprint import FINGERPRINT, by_options, fingerprint
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.payload import (
    HttpRequest,
    HttpResponse,
    InferRequest,
    InferResponse,
    TensorSpec,
)
from calcgraph.runtime.plan import GraphPlan, NodePlan
from calcgraph.runtime.services import MODEL
from calcgraph.runtime.validation import plan_graph

log = logging.getLogger("calcgraph.executor")

Request = HttpRequest | InferRequest
Response = HttpResponse | InferResponse

_PROTOCOLS = {
    HttpRequest: "the OpenAI API",
    InferRequest: "the Open Inference Protocol (KServe v2)",
}

_IDLE_GRAPHS = 256
"""How many started graphs are kept for the next requests."""


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What a client may know of a model."""

    name: str
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    details: Mapping[str, Any]
    """What the nodes say of themselves: dimensions, max_tokens, pooling and so on."""
    created: int
    """Seconds since the epoch."""
    fingerprint: str = ""
    """Another one means that the same request may be answered otherwise; also among the details."""
    versions: Sequence[str] = ("1",)
    platform: str = "calcgraph"


class GraphExecutor:
    """Runs one model's requests. Belongs to one event loop."""

    def __init__(self, name: str, plan: GraphPlan, resources: _Resources) -> None:
        self.name = name
        self.plan = plan
        self.metadata = _describe(name, plan, resources.by_node)
        self._services = {MODEL: self.metadata}
        self._resources = resources
        self._threads = ThreadPoolExecutor(thread_name_prefix=f"calcgraph-{name}")
        self._idle: list[_Session] = []
        self._closed = False

    @classmethod
    async def open(
        cls, name: str, graph_file: Path, *, base_path: Path | None = None
    ) -> GraphExecutor:
        """Read, validate and load a model.

        Raises GraphError with all mistakes of the graph file, NOT_FOUND when it is not there, and what a
        calculator's `load` raises.
        """
        plan = await asyncio.to_thread(_read_plan, name, graph_file, base_path or graph_file.parent)
        executor = cls(name, plan, await _Resources.load(plan))
        try:
            # The first graph shows that every node opens, before a request depends on it.
            executor._idle.append(_Session(executor))
        except BaseException:
            await executor.close()
            raise
        return executor

    @property
    def ready(self) -> bool:
        """Every node can answer now. Requests are taken until `close`, ready or not."""
        return not self._closed and all(
            node.calculator.ready(self._resources.by_node.get(node.id)) for node in self.plan.nodes
        )

    def measurements(self) -> Iterator[Measurement]:
        """What the nodes measure, each labelled with its node's name."""
        for node in self.plan.nodes:
            for each in node.calculator.measurements(self._resources.by_node.get(node.id)):
                yield replace(each, labels={"node": node.name, **each.labels})

    async def infer(self, request: Request) -> Response:
        """Answer one request. Raises RequestError for the caller's mistakes, else StatusError."""
        if self._closed:
            raise RequestError(
                f"The model '{self.name}' is being unloaded.",
                param="model",
                reason="model_not_ready",
                code=Code.UNAVAILABLE,
            )
        self._check_kind(request)
        session = self._idle.pop() if self._idle else _Session(self)
        try:
            response = await session.ask(request)
        except BaseException:
            session.drop()
            raise
        if self._closed or len(self._idle) >= _IDLE_GRAPHS:
            session.drop()
        else:
            self._idle.append(session)
        return response

    def _check_kind(self, request: Request) -> None:
        kind = self.plan.streams[self.plan.input_streams[0].name].type
        if kind is not None and not isinstance(request, kind):
            raise RequestError(
                f"The model '{self.name}' does not speak {_PROTOCOLS[type(request)]}.",
                param="model",
                code=Code.FAILED_PRECONDITION,
            )

    async def close(self) -> None:
        """Close the idle graphs and what `load` opened. Running requests end on their own."""
        self._closed = True
        while self._idle:
            self._idle.pop().drop()
        await self._resources.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def start_graph(self) -> CalculatorGraph:
        return CalculatorGraph(
            plan=self.plan,
            resources=self._resources.by_node,
            services=self._services,
            thread_pool=self._threads,
        )


class _Session:
    """One started graph and the request it is working on."""

    def __init__(self, executor: GraphExecutor) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._time = -1
        self._answer: asyncio.Future[Response] | None = None
        self._input = executor.plan.input_streams[0].name
        self._graph = executor.start_graph()
        self._graph.observe_output_stream(executor.plan.output_streams[0].name, self._on_output)
        self._graph.set_error_callback(self._on_error)
        self._graph.set_idle_callback(self._on_idle)
        self._graph.start_run()

    async def ask(self, request: Request) -> Response:
        self._time += 1
        answer: asyncio.Future[Response] = self._loop.create_future()
        self._answer = answer
        try:
            self._graph.add_packet_to_input_stream(self._input, Packet(request, self._time))
        except StatusError:
            if not answer.done():
                raise
        return await answer

    def drop(self) -> None:
        self._graph.cancel()

    def _on_output(self, _: str, packet: Packet) -> None:
        self._on_loop(self._resolve, packet.value)

    def _on_error(self, error: StatusError) -> None:
        self._on_loop(self._reject, error)

    def _on_idle(self) -> None:
        self._on_loop(self._reject_silence)

    def _on_loop(self, deed: Any, *args: Any) -> None:
        if threading.get_ident() == self._thread:
            deed(*args)
        else:
            self._loop.call_soon_threadsafe(deed, *args)

    def _resolve(self, response: Response) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result(response)

    def _reject(self, error: StatusError) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(_callers_mistake(error) or error)

    def _reject_silence(self) -> None:
        self._reject(status_error(Code.INTERNAL, "the graph came to rest without an answer"))


def _callers_mistake(error: StatusError) -> RequestError | None:
    if isinstance(error, RunError):
        return error.request_error()
    cause = error.__cause__
    return cause if isinstance(cause, RequestError) else None


def _read_plan(name: str, graph_file: Path, base_path: Path) -> GraphPlan:
    try:
        text = graph_file.read_text("utf-8")
    except FileNotFoundError:
        raise status_error(
            Code.NOT_FOUND, f"model {name!r} has no graph file: expected {graph_file}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise status_error(
            Code.INVALID_ARGUMENT, f"the graph file {graph_file} cannot be read: {error}"
        ) from error
    plan = plan_graph(read_graph(text, str(graph_file)), base_path=base_path)
    _require_one_in_one_out(plan)
    return plan


class _Resources:
    """What `Calculator.load` opened for the nodes of one graph."""

    def __init__(self) -> None:
        self.by_node: dict[int, Any] = {}
        self._opened = AsyncExitStack()

    @classmethod
    async def load(cls, plan: GraphPlan) -> _Resources:
        """Load every node, in order; when one fails, those before it are unloaded."""
        resources = cls()
        try:
            for node in plan.nodes:
                resources._add(node, await asyncio.to_thread(_load, node, plan))
        except BaseException:
            await resources.close()
            raise
        return resources

    def _add(self, node: NodePlan, resource: Any) -> None:
        if resource is not None:
            self.by_node[node.id] = resource
            self._opened.push_async_callback(_unload, node, resource)

    async def close(self) -> None:
        await self._opened.aclose()


async def _unload(node: NodePlan, resource: Any) -> None:
    """Off the loop, since closing may wait for work to end; a coroutine runs on it."""
    unload = node.calculator.unload
    if iscoroutinefunction(unload):
        await unload(resource)
    else:
        await asyncio.to_thread(unload, resource)


def _load(node: NodePlan, plan: GraphPlan) -> Any:
    try:
        return node.calculator.load(node, plan)
    except StatusError:
        raise
    except (ValueError, OSError) as error:
        # The graph names a file or a value that does not work: its author can mend it.
        raise GraphError([Problem(node.location, f"node {node.name!r}: {error}")]) from error
    except Exception as error:
        raise CalculatorError(node.name, "load", error) from error


def _describe(name: str, plan: GraphPlan, resources: Mapping[int, Any]) -> ModelMetadata:
    details: dict[str, Any] = {}
    parts: list[Any] = []
    for node in plan.nodes:
        said = dict(node.calculator.describe(node, resources.get(node.id), dict(details)))
        parts.append(said.pop(FINGERPRINT) if FINGERPRINT in said else by_options(node))
        details.update(said)
    details[FINGERPRINT] = fingerprint(parts)
    return ModelMetadata(
        name=name,
        inputs=details.pop("inputs", ()),
        outputs=details.pop("outputs", ()),
        details=details,
        created=int(time.time()),
        fingerprint=details[FINGERPRINT],
    )


def _require_one_in_one_out(plan: GraphPlan) -> None:
    for kind, ports in (("input", plan.input_streams), ("output", plan.output_streams)):
        if len(ports) != 1:
            names = ", ".join(repr(port.name) for port in ports) or "none"
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"a served graph has one {kind}_stream, which carries the whole request or answer; found {names}",
            )
    for packet in plan.side_packets.values():
        if packet.required:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"side packet {packet.name!r} is needed and nothing in the graph makes it",
            )
