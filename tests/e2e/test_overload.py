"""More than the server can do: some is answered, the rest refused at once, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import pytest

from calcgraph.servers.auth.key_file import write_keys
from calcgraph.servers.auth.keys import Key, digest_of
from calcgraph.servers.auth.scopes import Scope
from calcgraph.tools.bench.http1 import Connection, Target

MODEL = "minilm"
CLIENTS = 300
TEXTS = ["a happy person walks along the river in the evening " * 3] * 32


@pytest.fixture
def server(launch: Any, minilm: Path) -> Any:
    """It lets nobody wait for longer than a twentieth of a second."""
    flags = ["--model_name", MODEL, "--model_path", minilm, "--rest_port", "0"]
    return launch(
        "serve", *flags, "--max_queue_seconds", "0.05", "--max_bulk_queue_seconds", "0.05"
    )


async def at_once(server: Any, **headers: str) -> list[tuple[int, bytes]]:
    """The answers to CLIENTS requests that leave together, each on a connection of its own."""
    target = Target.of(f"http://{server.rest}/v3/embeddings")
    request = target.post(orjson.dumps({"model": MODEL, "input": TEXTS}), headers)
    connections = [await Connection.connect(target) for _ in range(CLIENTS)]
    replies = await asyncio.gather(*(connection.ask(request) for connection in connections))
    for connection in connections:
        assert connection.usable
        connection.close()
    return [(reply.status, reply.body) for reply in replies]


def takes_requests(server: Any) -> bool:
    """Whether one is answered now; what came before may be refused for as long as it is at hand."""
    status, _ = server.post("/v3/embeddings", {"model": MODEL, "input": "afterwards"})
    return status == 200


@pytest.mark.parametrize("lane", ["interactive", "bulk"])
def test_what_cannot_be_begun_in_time_is_refused_whole_and_at_once(
    server: Any, lane: str, eventually: Any
) -> None:
    answers = asyncio.run(at_once(server, **{"X-Priority": lane}))
    counted = Counter(status for status, _ in answers)
    assert counted.keys() == {200, 429}
    for status, body in answers:
        if status == 200:
            assert len(orjson.loads(body)["data"]) == len(TEXTS)
        else:
            error = orjson.loads(body)["error"]
            assert (error["type"], error["code"]) == ("requests", "overloaded")
            assert "would wait" in error["message"]
    assert eventually(lambda: takes_requests(server))
    status, _ = server.get("/v2/health/ready")
    assert status == 200


def test_requests_whose_time_is_over_leave_the_queue(server: Any, eventually: Any) -> None:
    answers = asyncio.run(at_once(server, **{"X-Request-Timeout": "0.01"}))
    counted = Counter(status for status, _ in answers)
    assert counted.keys() <= {200, 429, 504}
    assert counted[504] + counted[429] > CLIENTS / 2
    assert eventually(lambda: takes_requests(server))


def test_tokens_of_a_key_are_counted_exactly(launch: Any, minilm: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    write_keys(
        file, [Key("poor", digest_of("s"), frozenset({Scope.INFER}), None, tokens_per_minute=10)]
    )
    flags = ["--model_name", MODEL, "--model_path", minilm, "--rest_port", "0"]
    server = launch("serve", *flags, "--api_key_file", file)
    connection = HTTPConnection(server.rest, timeout=60)

    def ask(text: str) -> tuple[int, str | None, Any]:
        body = orjson.dumps({"model": MODEL, "input": text})
        connection.request("POST", "/v3/embeddings", body, {"Authorization": "Bearer s"})
        response = connection.getresponse()
        remaining = response.getheader("x-ratelimit-remaining-tokens")
        return response.status, remaining, orjson.loads(response.read())

    first = ask("hello world")
    assert (first[0], first[1]) == (200, "6")
    assert first[2]["usage"]["total_tokens"] == 4
    status, remaining, answer = ask("hello world hello world hello")
    assert (status, remaining) == (429, "6")
    assert "6 are left, 7 are asked for" in answer["error"]["message"]
    status, remaining, answer = ask("hello world hello world hello world hello world hello")
    assert (status, answer["error"]["code"]) == (400, "tokens_per_minute_exceeded")
    connection.close()
