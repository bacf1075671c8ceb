"""Both front ends on one data plane, in a thread of this process, with graphs of one node."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest
import uvloop

from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.runtime.registry import REGISTRY
from calcgraph.servers.auth.flags import Security
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.limits.limits import NO_LIMITS, Limits
from calcgraph.servers.limits.transfer import TransferLimits
from calcgraph.servers.metrics.ovms import NO_OVMS_METRICS, OvmsMetrics
from calcgraph.servers.model_config import ModelEntry
from calcgraph.servers.observation.load_counts import LoadCounts
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.repository.opening import open_graph
from calcgraph.servers.repository.repository import Repository
from calcgraph.servers.rest.cors import Cors
from calcgraph.servers.rest.front_end import RestFrontEnd
from calcgraph.servers.rpc.front_end import GrpcFrontEnd
from calcgraph.servers.tracing.open_telemetry import Tracing

MODELS = {
    "echo": "EchoRequest",
    "ns/echo": "EchoRequest",
    "twin": "EchoRequest",
    "twin/ready": "EchoRequest",
    "wait": "WaitForever",
    "moody": "Moody",
}
TENSOR_MODELS = {
    "sum": """
        input_stream: "in" output_stream: "out" input_side_packet: "start"
        node { calculator: "RunningSum" input_stream: "in" output_stream: "out"
               input_side_packet: "START:start" }
        """,
    "needy": """
        input_stream: "in" output_stream: "out" input_side_packet: "start"
        node { calculator: "RunningSum" input_stream: "in" output_stream: "out"
               input_side_packet: "START:start" }
        node { calculator: "Needs" input_side_packet: "START:start" input_stream: "in" }
        """,
    "pair": """
        input_stream: "a" input_stream: "b" output_stream: "sum" output_stream: "product"
        node { calculator: "Pair" input_stream: "A:a" input_stream: "B:b"
               output_stream: "SUM:sum" output_stream: "PRODUCT:product" }
        """,
    "burst": """
        input_stream: "in" output_stream: "out"
        node { calculator: "Burst" input_stream: "in" output_stream: "out" }
        """,
    "sieve": """
        input_stream: "in" output_stream: "out"
        node { calculator: "Sieve" input_stream: "in" output_stream: "out" }
        """,
    "python": """
        input_stream: "OVMS_PY_TENSOR:in" output_stream: "OVMS_PY_TENSOR:out"
        node { calculator: "PassThroughCalculator" input_stream: "in" output_stream: "out" }
        """,
    "tflite": """
        input_stream: "TFLITE_TENSOR:in" output_stream: "TFLITE_TENSOR:out"
        node { calculator: "PassThroughCalculator" input_stream: "in" output_stream: "out" }
        """,
    "mediapipe": """
        input_stream: "TENSOR:in" output_stream: "TENSOR:out"
        node { calculator: "PassThroughCalculator" input_stream: "in" output_stream: "out" }
        """,
    "image": """
        input_stream: "IMAGE:in" output_stream: "IMAGE:out"
        node { calculator: "PassThroughCalculator" input_stream: "in" output_stream: "out" }
        """,
    "json": """
        input_stream: "HTTP_REQUEST_PAYLOAD:in" output_stream: "HTTP_RESPONSE_PAYLOAD:out"
        node { calculator: "PassThroughCalculator" input_stream: "in" output_stream: "out" }
        """,
}
"""Whole graphs, of streams that carry tensors."""
UNREADY = "unready"
MAX_BODY = 1 << 20
ORIGIN = "https://app.example"

GRAPH = """
input_stream: "REQUEST:request"
output_stream: "RESPONSE:response"
node {{
  calculator: "{}"
  input_stream: "REQUEST:request"
  output_stream: "RESPONSE:response"
}}
"""


@dataclass(frozen=True)
class Answered:
    """One HTTP answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True)
class Served:
    """The running server."""

    port: int
    grpc_address: str

    def call(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> Answered:
        """One request on a connection of its own; header names are written with underscores."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            return call(connection, method, path, body, **headers)


def call(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: bytes | str | None = None,
    **headers: str,
) -> Answered:
    """One request on a connection that stays open."""
    data = body.encode() if isinstance(body, str) else body
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, data, names)
    response: HTTPResponse = connection.getresponse()
    return Answered(
        response.status,
        {name.lower(): value for name, value in response.getheaders()},
        response.read(),
    )


@pytest.fixture(scope="session")
def nodes() -> dict[str, Any]:
    """The calculators of nodes.py by name, registered as `--calculators` does."""
    names = REGISTRY.load_file(Path(__file__).parent / "nodes.py")
    found = {name: REGISTRY.find(name) for name in names}
    return {name: entry.load() for name, entry in found.items() if entry is not None}


@pytest.fixture(autouse=True)
def nobody_waits(nodes: dict[str, Any]) -> None:
    """No test sees the requests that another left in the node that never answers."""
    nodes["WaitForever"].forget()


@pytest.fixture(scope="session")
def served(nodes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("graphs")) as served:
        yield served


@pytest.fixture(scope="session")
def serve(nodes: dict[str, Any]) -> Callable[..., AbstractContextManager[Served]]:
    """Both front ends with options of a test's own; takes the options of `start`."""
    return serving


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Served]:
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    opened = AsyncExitStack()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    thread.start()
    try:
        yield run(start(folder, opened, **options))
        run(opened.aclose())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


async def start(
    folder: Path,
    opened: AsyncExitStack,
    security: Security | None = None,
    limits: Limits = NO_LIMITS,
    ovms: OvmsMetrics = NO_OVMS_METRICS,
    model_control: bool = False,
    base_path: str = "",
    channel_options: dict[str, int] | None = None,
    transfer: TransferLimits | None = None,
    tracing: Tracing | None = None,
) -> Served:
    loads = LoadCounts()
    repository = Repository(loads.counted(open_graph))
    opened.push_async_callback(repository.close)
    for name, calculator in {**MODELS, UNREADY: "gone"}.items():
        repository.register(ModelEntry(name, folder, folder / f"{calculator}.pbtxt"))
    for name, calculator in MODELS.items():
        (folder / f"{calculator}.pbtxt").write_text(GRAPH.format(calculator))
        await repository.load(name)
    for name, graph in TENSOR_MODELS.items():
        (folder / f"{name}.pbtxt").write_text(graph)
        repository.register(ModelEntry(name, folder, folder / f"{name}.pbtxt"))
        await repository.load(name)
    plane = DataPlane(repository, limits)
    observation = Observation(plane, loads=loads, ovms=ovms, tracing=tracing)
    rest = RestFrontEnd(
        plane,
        transfer=transfer or TransferLimits(body_bytes=MAX_BODY),
        drain_s=1,
        cors=Cors((ORIGIN,)),
        security=security,
        observation=observation,
        model_control=model_control,
        base_path=base_path,
    )
    rpc = GrpcFrontEnd(
        plane,
        drain_s=1,
        channel_options=channel_options,
        transfer=transfer,
        security=security,
        observation=observation,
        model_control=model_control,
    )
    opened.push_async_callback(rest.stop)
    opened.push_async_callback(rpc.stop)
    url = await rest.start("127.0.0.1", 0)
    return Served(int(url.rpartition(":")[2]), await rpc.start("127.0.0.1", 0))


@pytest.fixture
def connection(served: Served) -> Iterator[HTTPConnection]:
    """A keep-alive connection."""
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=10)) as connection:
        connection.connect()
        yield connection


@pytest.fixture(scope="session")
def stub(served: Served) -> Iterator[GRPCInferenceServiceStub]:
    with grpc.insecure_channel(served.grpc_address) as channel:
        yield GRPCInferenceServiceStub(channel)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Whether a condition comes true in time."""

    def wait(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 20
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return wait
