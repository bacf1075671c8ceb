"""The servers that are compared, each a process of its own that stands still while it is not its turn."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving.sample import cpu_seconds

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build" / "peers"
REQUIREMENTS = ROOT / "benchmarks" / "peers"
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
READY_S = 240.0
_OURS_READY = re.compile(r"ready: REST (?P<rest>\S+), gRPC (?P<grpc>\S+),")
# No peer may look for anything on the network, or report what it is used for.
_QUIET = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}


@dataclass
class Server:
    """A running server and where it listens: URLs by the name of the bench backend."""

    name: str
    process: subprocess.Popen[str]
    urls: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_ours(logs: Path, *flags: str, settle: bool = True) -> Server:
    """This project's server, as `make serve` starts it, with more flags if you like.

    `settle` waits until it has compiled the shapes that are asked for most; it serves meanwhile.
    """
    config = str(ROOT / "models/config.json")
    flags = ("--config_path", config, "--rest_port", "0", "--port", "0", *flags)
    process = _start(
        "calcgraph", [sys.executable, "-m", "calcgraph.servers", "serve", *flags], logs
    )
    assert process.stdout is not None
    ready = _OURS_READY.search(process.stdout.readline())
    if ready is None:
        raise RuntimeError(f"calcgraph did not start, see {logs}")
    if settle:
        _await_rest(process)
    urls = {"openai": f"{ready['rest']}/v3/embeddings", "kserve-grpc": ready["grpc"]}
    return Server("calcgraph", process, urls, _versions(Path(sys.executable), "calcgraph openvino"))


def start_infinity(logs: Path, dtype: str) -> Server:
    python, port = environment("infinity"), _free_port()
    command = [
        *(str(python.parent / "infinity_emb"), "v2", "--model-id", str(model_folder())),
        *("--served-model-name", MODEL, "--engine", "torch", "--device", "cpu"),
        # What needs a version of optimum that it does not work with any more; torch has it built in.
        *("--dtype", dtype, "--no-bettertransformer", "--no-compile"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"),
    ]
    name = f"infinity {dtype}"
    process = _start(name.replace(" ", "-"), command, logs)
    _await_health(process, port)
    urls = {"openai": f"http://127.0.0.1:{port}/embeddings"}
    return Server(name, process, urls, _versions(python, "infinity_emb torch"))


def start_sentence_transformers(logs: Path) -> Server:
    python, port = environment("sentence_transformers"), _free_port()
    script = REQUIREMENTS / "sentence_transformers_server.py"
    command = [str(python), str(script), str(model_folder()), str(port)]
    process = _start("sentence-transformers", command, logs)
    _await_health(process, port)
    urls = {"openai": f"http://127.0.0.1:{port}/v1/embeddings"}
    packages = "sentence-transformers optimum-intel openvino fastapi"
    return Server("sentence-transformers", process, urls, _versions(python, packages))


def environment(peer: str) -> Path:
    """The Python of a peer's own environment, made on first use."""
    folder = PEERS / peer
    python, done = folder / "bin" / "python", folder / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "-r"]
        subprocess.run([*install, str(REQUIREMENTS / f"{peer}.txt")], check=True)
        # optimum brings the one that is built for CUDA, which breaks transformers beside torch for CPU.
        subprocess.run(
            [str(python), "-m", "pip", "uninstall", "-q", "-y", "torchvision"], check=True
        )
        done.touch()
    return python


def model_folder() -> Path:
    """The default model as it was published, for servers that read safetensors."""
    from calcgraph.tools.published_model import DEFAULT_MODEL, obtain

    folder = PEERS / "model"
    if not (folder / "model.safetensors").exists():
        downloads = PEERS / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        obtain(DEFAULT_MODEL, downloads, folder)
    return folder


def _start(name: str, command: Sequence[str], logs: Path) -> subprocess.Popen[str]:
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE if name == "calcgraph" else log,
            stderr=log,
            text=True,
            env=os.environ | _QUIET,
            cwd=ROOT,
        )


def _await_health(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    process.kill()
    raise RuntimeError(f"{process.args!r} was not ready in {READY_S:g} s")


def _await_rest(process: subprocess.Popen[str]) -> None:
    before, now = -1.0, cpu_seconds(process.pid)
    while now - before > 0.02:
        time.sleep(1)
        before, now = now, cpu_seconds(process.pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _versions(python: Path, packages: str) -> dict[str, str]:
    code = (
        "import sys, json; from importlib.metadata import version; "
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    done = subprocess.run(
        [str(python), "-c", code, *packages.split()], check=True, capture_output=True, text=True
    )
    versions: dict[str, str] = json.loads(done.stdout)
    return versions
