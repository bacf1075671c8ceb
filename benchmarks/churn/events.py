"""What is done to a server that serves: models reloaded and broken, clients gone, threads killed."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import orjson

from benchmarks.serving.servers import MODEL
from calcgraph.tools.bench.backends import BACKENDS
from calcgraph.tools.bench.http1 import Connection, Target

JSON = {"Content-Type": "application/json"}
SEEN_S = 60.0
"""How long an effect may take to be seen."""
LOOK_S = 0.1
FAULTS = "faults"
_INFER = "/inference.GRPCInferenceService/ModelInfer"


@dataclass
class Place:
    """The server under test: where it listens, the model's folder, its log."""

    rest: str
    grpc: str
    folder: Path
    log: Path
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    slow: list[asyncio.StreamWriter] = field(default_factory=list)
    reloads: int = 0

    @property
    def graph(self) -> Path:
        return self.folder / "graph.pbtxt"

    async def get(self, path: str) -> tuple[int, bytes]:
        target = Target.of(self.rest + path)
        request = f"GET {path} HTTP/1.1\r\nHost: {target.host}\r\n\r\n".encode()
        return await _ask(target, request)

    async def post(self, path: str, body: object) -> tuple[int, bytes]:
        target = Target.of(self.rest + path)
        return await _ask(target, target.post(orjson.dumps(body), JSON))


Event = Callable[[Place], Awaitable[str]]


async def reload_model(place: Place) -> str:
    """An edit that changes nothing: the model is loaded anew beside the old one."""
    before, start = await _created(place), time.perf_counter()
    place.reloads += 1
    _write(place.graph, _graph_text(place) + f"# edited {place.reloads} times\n")

    async def other_model() -> bool:
        return await _created(place) != before

    await _until(other_model, "the reloaded model")
    return f"new model after {time.perf_counter() - start:.1f} s"


async def break_graph(place: Place) -> str:
    """An edit that cannot work: the old model goes on, and the log says why. Then it is mended."""
    right, size = _graph_text(place), place.log.stat().st_size
    _write(place.graph, right.replace("pooling: MEAN", "pooling: MAX"))

    async def told() -> bool:
        return "found MAX" in place.log.read_bytes()[size:].decode("utf-8", "replace")

    await _until(told, "the reason in the log")
    status, _ = await place.get(f"/v2/models/{MODEL}/ready")
    _write(place.graph, right)
    return f"told in the log, readiness {status}"


async def kill_engines(place: Place) -> str:
    """The threads that infer die; the texts they had at hand may fail, and no others."""
    status, body = await place.post("/v3/embeddings", {"model": FAULTS, "input": "kill engine"})
    if status != 200:
        raise RuntimeError(f"the fault was not injected: {status} {body!r}")
    return f"{orjson.loads(body)['killed']} threads"


async def raise_in_calculator(place: Place) -> str:
    status, _ = await place.post("/v3/embeddings", {"model": FAULTS, "input": "raise"})
    if status != 500:
        raise RuntimeError(f"expected 500 for a calculator's error, found {status}")
    return "500"


async def disconnect(place: Place) -> str:
    """Clients that ask for a lot and are gone before the answer."""
    target = Target.of(place.rest + "/v3/embeddings")
    body = BACKENDS["openai"].body(MODEL, [f"text number {i} of a lot" for i in range(64)])
    connections = [await Connection.connect(target) for _ in range(20)]
    for connection in connections:
        connection.ask(target.post(body, JSON)).add_done_callback(_forget)
    await asyncio.sleep(place.chance.uniform(0, 0.05))
    for connection in connections:
        connection.close()
    return f"{len(connections)} requests of 64 texts dropped"


async def cancel_calls(place: Place) -> str:
    """The same over gRPC."""
    message = BACKENDS["kserve-grpc"].body(MODEL, [f"text {i}" for i in range(64)])
    async with grpc.aio.insecure_channel(place.grpc) as channel:
        infer = channel.unary_unary(_INFER)
        calls = [infer(message) for _ in range(20)]
        await asyncio.sleep(place.chance.uniform(0, 0.05))
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    return f"{len(calls)} calls of 64 texts cancelled"


async def send_garbage(place: Place) -> str:
    """Bytes that are no HTTP, bodies that end too early, lengths that lie."""
    target = Target.of(place.rest + "/v3/embeddings")
    pieces = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + place.chance.randbytes(200),
        place.chance.randbytes(400) + b"\r\n\r\n",
        target.post(b"{", {"Content-Encoding": "gzip"}),
        target.post(b'{"model": "x"', JSON)[:-4],
        b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    )
    for piece in pieces:
        _, writer = await asyncio.open_connection(target.host, target.port)
        writer.write(piece)
        with suppress(ConnectionError):  # the server may refuse before it has read all
            await writer.drain()
        writer.close()
    return f"{len(pieces)} connections"


async def dawdle(place: Place) -> str:
    """Clients that send half a request and stay; those of the last time leave."""
    target = Target.of(place.rest + "/v3/embeddings")
    for writer in place.slow:
        writer.close()
    place.slow.clear()
    for _ in range(10):
        _, writer = await asyncio.open_connection(target.host, target.port)
        writer.write(target.post(b"{}" * 50, JSON)[:60])
        place.slow.append(writer)
    return f"{len(place.slow)} half requests"


EVENTS: Sequence[Event] = (
    reload_model,
    disconnect,
    kill_engines,
    send_garbage,
    break_graph,
    cancel_calls,
    raise_in_calculator,
    dawdle,
)


def _forget(answer: asyncio.Future[object]) -> None:
    if not answer.cancelled():
        answer.exception()


async def _ask(target: Target, request: bytes) -> tuple[int, bytes]:
    connection = await Connection.connect(target)
    try:
        reply = await connection.ask(request)
    finally:
        connection.close()
    return reply.status, reply.body


async def _created(place: Place) -> int:
    _, body = await place.get(f"/v3/models/{MODEL}")
    return int(json.loads(body)["created"])


async def _until(seen: Callable[[], Awaitable[bool]], what: str) -> None:
    end = time.perf_counter() + SEEN_S
    while not await seen():
        if time.perf_counter() > end:
            raise RuntimeError(f"{what} was not seen within {SEEN_S:g} s")
        await asyncio.sleep(LOOK_S)


def _graph_text(place: Place) -> str:
    lines = place.graph.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("# edited"))


def _write(file: Path, text: str) -> None:
    """As an editor does: whole, or not at all."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)
