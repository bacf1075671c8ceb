"""Both front ends on one data plane, in a thread of this process, with graphs of one node."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest
import uvloop

from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.registry import REGISTRY
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.rest.front_end import RestFrontEnd
from calcgraph.servers.rpc.front_end import GrpcFrontEnd

MODELS = {"echo": "Echo", "ns/echo": "Echo", "twin": "Echo", "twin/ready": "Echo", "wait": "Wait"}
UNREADY = "unready"
MAX_BODY = 1 << 20

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
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            return call(connection, method, path, body, **headers)
        finally:
            connection.close()


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


@pytest.fixture(scope="session")
def served(nodes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("graphs")
    started: list[Served] = []
    ready = threading.Event()
    loop = uvloop.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        plane = DataPlane()
        for name in (*MODELS, UNREADY):
            plane.register(name)
        for name, calculator in MODELS.items():
            file = folder / f"{calculator}.pbtxt"
            file.write_text(GRAPH.format(calculator))
            await plane.load(name, partial(GraphExecutor.open, name, file, base_path=folder))
        rest = RestFrontEnd(plane, max_body_bytes=MAX_BODY, drain_s=1)
        rpc = GrpcFrontEnd(plane, drain_s=1)
        url = await rest.start("127.0.0.1", 0)
        started.append(Served(int(url.rpartition(":")[2]), await rpc.start("127.0.0.1", 0)))
        ready.set()
        await stop.wait()
        await asyncio.gather(rest.stop(), rpc.stop())
        await plane.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield started[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


@pytest.fixture
def connection(served: Served) -> Iterator[HTTPConnection]:
    """A keep-alive connection."""
    with ExitStack() as opened:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=10)
        opened.callback(connection.close)
        connection.connect()
        yield connection


@pytest.fixture(scope="session")
def stub(served: Served) -> Iterator[GRPCInferenceServiceStub]:
    with grpc.insecure_channel(served.grpc_address) as channel:
        yield GRPCInferenceServiceStub(channel)
