"""The real server as its users start it: a process of its own, found by the line it prints."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
CLIENTS = ROOT / "build" / "clients"
NODES = Path(__file__).parent / "nodes.py"
COMMAND = [sys.executable, "-m", "calcgraph.servers"]
READY_S = 60.0

BF16 = "sentence-transformers/all-MiniLM-L6-v2"
F32 = "e2e/minilm-f32"

READY = re.compile(
    r"calcgraph \S+ ready: (?:REST https?://(?P<rest>\S+:\d+))?(?:, )?(?:gRPC (?P<grpc>\S+:\d+))?, "
    r"models: (?P<models>.*)\n"
)

SLOW_GRAPH = """
input_stream: "REQUEST:request"
output_stream: "RESPONSE:response"
node {{
  calculator: "Slow"
  input_stream: "REQUEST:request"
  output_stream: "RESPONSE:response"
  node_options {{ [type.googleapis.com/google.protobuf.Struct] {{ {} }} }}
}}
"""

Vectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Running:
    """A server that said it is ready."""

    process: subprocess.Popen[str]
    line: str
    rest: str
    grpc: str
    stderr: Path

    @property
    def log(self) -> str:
        return self.stderr.read_text()

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """One request; bytes and str are sent as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
        return self.call("POST", path, json.dumps(body).encode() if data is None else data)

    def get(self, path: str) -> tuple[int, Any]:
        return self.call("GET", path, None)

    def call(self, method: str, path: str, body: bytes | None) -> tuple[int, Any]:
        connection = HTTPConnection(self.rest, timeout=60)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def embed(self, model: str, input: Any, **extra: Any) -> Vectors:
        """The vectors of one request, which must succeed."""
        body = {"model": model, "input": input, "encoding_format": "base64", **extra}
        status, answer = self.post("/v3/embeddings", body)
        assert status == 200, answer
        return vectors(answer)


def vectors(answer: Mapping[str, Any]) -> Vectors:
    """What an OpenAI answer holds, as base64 or as floats."""
    rows = [item["embedding"] for item in answer["data"]]
    if isinstance(rows[0], str):
        return np.stack([np.frombuffer(base64.b64decode(row), "<f4") for row in rows])
    return np.array(rows, np.float32)


@contextmanager
def running(
    stderr: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """A server from its first line to its end, which must come within seconds of SIGTERM."""
    with started(stderr, *arguments, environment=environment) as process:
        line = first_line(process)
        match = READY.fullmatch(line)
        assert match, f"{line!r}\n{stderr.read_text()}"
        yield Running(process, line, match["rest"] or "", match["grpc"] or "", stderr)


@contextmanager
def started(
    stderr: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The process alone, ready or not. `environment` adds to the test's own."""
    with stderr.open("w") as errors:
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=stderr.parent,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            assert process.stdout is not None
            process.stdout.close()


def first_line(process: subprocess.Popen[str]) -> str:
    """The first line of stdout; empty when the process ended before, or took too long."""
    assert process.stdout is not None
    timer = threading.Timer(READY_S, process.kill)
    timer.start()
    try:
        return process.stdout.readline()
    finally:
        timer.cancel()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start servers with flags; they end with the test."""
    with ExitStack() as opened:
        yield lambda *flags, **more: opened.enter_context(
            running(tmp_path / "stderr", *flags, **more)
        )


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """The same for a whole module of tests."""
    with ExitStack() as opened:
        yield lambda *flags, **more: opened.enter_context(
            running(tmp_path_factory.mktemp("start") / "stderr", *flags, **more)
        )


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start servers without waiting until they are ready."""
    with ExitStack() as opened:
        yield lambda *flags: opened.enter_context(started(tmp_path / "stderr", *flags))


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """What a server that does not come up says; it must say it on stderr alone, and exit with 1."""

    def run(*flags: str | Path) -> str:
        command = [*COMMAND, *map(str, flags)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=READY_S, cwd=tmp_path
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 24
        return done.stderr

    return run


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


@pytest.fixture
def slow(tmp_path: Path) -> Callable[..., list[str]]:
    """The flags of a model that loads, or answers, once a file exists."""

    def flags(**until: Path) -> list[str]:
        options = "".join(
            f'fields {{ key: "{name}" value {{ string_value: "{path}" }} }}\n'
            for name, path in until.items()
        )
        (tmp_path / "graph.pbtxt").write_text(SLOW_GRAPH.format(options))
        return ["--model_name", "slow", "--model_path", str(tmp_path), "--calculators", str(NODES)]

    return flags


@pytest.fixture(scope="session")
def f32_graph(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model's graph with exact arithmetic."""
    text = (minilm / "graph.pbtxt").read_text()
    exact, count = re.subn(
        r"plugin_config: *'[^']*'", 'plugin_config: \'{"INFERENCE_PRECISION_HINT": "f32"}\'', text
    )
    assert count == 1
    file = tmp_path_factory.mktemp("f32") / "graph.pbtxt"
    file.write_text(exact)
    return file


@pytest.fixture(scope="session")
def server(
    minilm: Path, f32_graph: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The default model twice, as it ships and with exact arithmetic, on ports of the system's choice."""
    folder = tmp_path_factory.mktemp("server")
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "model_config_list": [
                    {"config": {"name": BF16, "base_path": os.path.relpath(minilm, folder)}}
                ],
                "mediapipe_config_list": [
                    {"name": F32, "base_path": str(minilm), "graph_path": str(f32_graph)}
                ],
            }
        )
    )
    flags = ["--config_path", config, "--rest-port", "0", "--port", "0"]
    with running(folder / "stderr", *flags) as server:
        yield server
        assert "Traceback" not in server.log


@pytest.fixture(scope="session")
def client_python() -> Callable[[str, Sequence[str]], Path]:
    """The Python of an environment of its own, for clients that cannot share ours; made once."""

    def make(name: str, requirements: Sequence[str]) -> Path:
        folder = CLIENTS / name
        python = folder / "bin" / "python"
        with made_once(folder, requirements) as is_made:
            if not is_made:
                venv.create(folder, with_pip=True, clear=True)
                install = [python, "-m", "pip", "install", "--quiet", *requirements]
                subprocess.run(install, check=True, timeout=1800)
        return python

    return make


@pytest.fixture(scope="session")
def client_node() -> Callable[[str, Sequence[str]], Path]:
    """The node_modules folder of packages from npm; made once."""

    def make(name: str, packages: Sequence[str]) -> Path:
        folder = CLIENTS / name
        with made_once(folder, packages) as is_made:
            if not is_made:
                folder.mkdir(exist_ok=True)
                install = ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund"]
                subprocess.run([*install, *packages], check=True, timeout=600, capture_output=True)
        return folder / "node_modules"

    return make


@contextmanager
def made_once(folder: Path, contents: Sequence[str]) -> Iterator[bool]:
    """Whether a folder holds these contents already; a file in it says so when the block is left."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder / "done"
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_made = done.exists() and done.read_text().split() == list(contents)
        yield is_made
        if not is_made:
            done.write_text("\n".join(contents))
