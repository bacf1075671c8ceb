"""`calcgraph bench` as a user runs it, on servers that answer in each of the dialects."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiohttp import web

from calcgraph.proto import inference_pb2 as pb
from calcgraph.servers.__main__ import main


@dataclass
class Bench:
    """A server, what it was sent, and the command."""

    url: str = ""
    grpc: str = ""
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    run: Callable[..., int] = main


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Embeds a text as its length, says no to texts with "bad" in them, counts 3 tokens a text."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    bench, loop, ready = Bench(), asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(bench, ready, stop)))
    thread.start()
    assert ready.wait(20)
    bench.run = lambda *flags: main(["bench", *flags, "--no_progress"])
    yield bench
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


async def _serve(bench: Bench, ready: threading.Event, stop: asyncio.Event) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        bench.bodies.append((request.path, body))
        bench.headers.append(dict(request.headers))
        texts = body.get("input") or body.get("inputs") or body.get("documents")
        if any("bad" in str(text) for text in texts):
            return web.json_response({"error": {"message": "a bad text"}}, status=400)
        usage = {"prompt_tokens": 3 * len(texts), "total_tokens": 3 * len(texts)}
        return web.json_response({"data": [len(text) for text in texts], "usage": usage})

    async def infer(request: bytes, context: Any) -> bytes:
        bench.bodies.append(pb.ModelInferRequest.FromString(request))
        if bench.bodies[-1].model_name == "gone":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
        return b""

    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    bench.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler(
        "inference.GRPCInferenceService",
        {"ModelInfer": grpc.unary_unary_rpc_method_handler(infer)},
    )
    server.add_generic_rpc_handlers([handler])
    bench.grpc = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    ready.set()
    await stop.wait()
    await server.stop(None)
    await runner.cleanup()


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    lines = capsys.readouterr().out.splitlines()
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def test_the_command_line_of_the_ovms_demo_works(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    command = (
        f"--api_url {bench.url}/v3/embeddings --dataset synthetic --synthetic_length 5 "
        "--request_rate 1000 --batch_size 1 --model BAAI/bge-large-en-v1.5 --limit 40"
    )
    assert bench.run(*command.split()) == 0
    lines = printed(capsys)
    assert list(lines)[:7] == [
        "Number of documents",
        "Tokens",
        "Success rate",
        "Throughput - Tokens per second",
        "Mean latency",
        "Median latency",
        "Average document length",
    ]
    assert lines["Number of documents"] == "40"
    assert lines["Tokens"] == "200"
    assert lines["Success rate"] == "100.0%. (40/40)"
    assert lines["Average document length"] == "5.0 tokens"
    assert bench.bodies[0] == (
        "/v3/embeddings",
        {"model": "BAAI/bge-large-en-v1.5", "input": ["hi " * 5], "encoding_format": "base64"},
    )


@pytest.mark.parametrize(
    ("backend", "path", "body"),
    [
        (
            "openai",
            "/v1/embeddings",
            {"model": "m/n", "input": ["a", "b"], "encoding_format": "base64"},
        ),
        ("tei-embed", "/embed", {"inputs": ["a", "b"]}),
        ("ovms_rerank", "/v3/rerank", {"model": "m/n", "query": "Hello", "documents": ["a", "b"]}),
        (
            "kserve",
            "/v2/models/m/infer",
            {
                "inputs": [
                    {"name": "input", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]}
                ],
                "parameters": {"binary_data_output": True},
            },
        ),
    ],
)
def test_every_backend_is_asked_in_its_own_way(
    bench: Bench, tmp_path: Path, backend: str, path: str, body: dict[str, Any]
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("a\nb\n")
    flags = ["--backend", backend, "--api_url", bench.url + path, "--model", "m/n"]
    assert bench.run(*flags, "--dataset", str(texts), "--batch_size", "2") == 0
    assert bench.bodies == [(path, body)]


def test_grpc_is_asked_for_an_inference(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--backend", "kserve-grpc", "--api_url", bench.grpc, "--batch_size", "2"]
    assert bench.run(*flags, "--model", "m", "--limit", "6") == 0
    assert len(bench.bodies) == 3
    (tensor,) = bench.bodies[0].inputs
    assert (tensor.name, tensor.datatype, list(tensor.shape)) == ("input", "BYTES", [2])
    assert bench.run(*flags, "--model", "gone", "--limit", "2") == 1
    assert "NOT_FOUND no such model" in capsys.readouterr().out


def test_failures_are_counted_shown_and_left_out_of_the_throughput(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("good\nbad\ngood\ngood\n")
    flags = [
        "--api_url",
        f"{bench.url}/v3/embeddings",
        "--dataset",
        str(texts),
        "--batch_size",
        "1",
    ]
    assert bench.run(*flags, "--json", str(tmp_path / "out.json")) == 1
    lines = printed(capsys)
    assert lines["Success rate"] == "75.0%. (3/4)"
    assert lines["Tokens"] == "9", "as the server counted them"
    assert "400" in lines["Failed 1 times"] and "a bad text" in lines["Failed 1 times"]
    figures = json.loads((tmp_path / "out.json").read_text())
    assert (figures["requests"], figures["succeeded"], figures["documents"]) == (4, 3, 3)


def test_a_server_that_is_not_there_is_no_traceback(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.run("--api_url", "http://127.0.0.1:1/x", "--limit", "3") == 1
    assert printed(capsys)["Success rate"] == "0.0%. (0/1)"


def test_requests_repeat_the_dataset_and_those_of_the_warm_up_are_not_counted(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("a\nb\nc\n")
    flags = ["--api_url", f"{bench.url}/v3/embeddings", "--dataset", str(texts)]
    assert bench.run(*flags, "--batch_size", "2", "--num_requests", "5", "--warm_up", "4") == 0
    assert printed(capsys)["Success rate"] == "100.0%. (5/5)"
    assert len(bench.bodies) == 9


def test_the_key_of_the_environment_is_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert bench.run("--api_url", f"{bench.url}/v3/embeddings", "--limit", "1") == 0
    assert bench.headers[0]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--api_url", "localhost:8000"], "expected http://HOST:PORT/PATH, found 'localhost:8000'"),
        (["--dataset", "nowhere.csv"], "--dataset nowhere.csv cannot be read"),
        (["--request_rate", "0"], "expected requests a second, or inf; found '0'"),
        (["--batch_size", "x"], "expected a whole number above 0, found 'x'"),
        (["--backend", "triton"], "invalid choice: 'triton'"),
        (["--bach_size", "3"], "--batch_size"),
    ],
)
def test_a_wrong_flag_says_what_is_wrong(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(["bench", *flags]) == 1
    except SystemExit as exit:
        assert exit.code == 2
    assert message in capsys.readouterr().err
