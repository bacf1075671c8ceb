"""A model reloaded again and again while clients ask for it: is a request lost, does memory grow?

    python -m benchmarks.hot_reload [--reloads 50] [--broken 10] [--clients 64] [--docs docs/models]

Starts a server on a copy of the default model. The clients ask all the time, each its next question when the last
is answered; meanwhile the graph is edited or the weights are written anew, and the server is told to reload. Some
changes cannot work: a typing error in the graph, weights that are cut short. Every vector is compared with what its
text got before the first reload. Exit status 1 when a request failed, a vector was another's, a reload ended
otherwise than it should, or when memory grew by more than 5 % from the first fifth of the reloads to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.serving.servers import MODEL, ROOT
from benchmarks.soak import JSON, SAME, vectors
from calcgraph.tools.bench.backends import BACKENDS
from calcgraph.tools.bench.http1 import Connection, Target
from calcgraph.tools.bench.load import Outcome, Request, closed_loop
from calcgraph.tools.bench.ways import Http

GROWTH = 1.05
TEXTS = 200
_READY = re.compile(r"ready: REST (?P<rest>\S+),")
_MIB = 1 << 20


@dataclass
class Run:
    """What happened."""

    alone: dict[bytes, np.ndarray]
    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    reload_seconds: list[float] = field(default_factory=list)
    wrong_reloads: list[str] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    """Bytes after each reload."""

    def __call__(self, outcome: Outcome) -> None:
        self.latencies.append(outcome.latency)
        if not outcome.ok:
            self.outcomes[outcome.error[:100]] += 1
        elif float(vectors(outcome.body)[0] @ self.alone[outcome.request.payload]) < SAME:
            self.outcomes["a vector that is not its text's"] += 1
        else:
            self.outcomes["right"] += 1

    @property
    def growth(self) -> float:
        """Memory after the last fifth of the reloads over that after the first, in the mean."""
        fifth = max(1, len(self.resident) // 5)
        return float(np.mean(self.resident[-fifth:]) / np.mean(self.resident[:fifth]))

    @property
    def right(self) -> bool:
        return not self.wrong_reloads and set(self.outcomes) == {"right"} and self.growth <= GROWTH


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reloads", type=int, default=50)
    parser.add_argument("--broken", type=int, default=10, help="of the reloads")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--docs", type=Path, help="folder for the figures")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is to be stopped too
    with tempfile.TemporaryDirectory(prefix="calcgraph-reload-") as folder:
        process, rest, model = start(Path(folder))
        try:
            run = uvloop.run(reload_under_load(process.pid, rest, model, args))
        finally:
            process.terminate()
            process.wait(60)
    text = report(run, args)
    print(text)
    if args.docs:
        args.docs.mkdir(parents=True, exist_ok=True)
        (args.docs / "hot_reload.md").write_text(text)
    return int(not run.right)


def start(folder: Path) -> tuple[subprocess.Popen[str], str, Path]:
    """The server, its URL, and the folder of its model."""
    model = folder / "model"
    shutil.copytree(ROOT / "models" / MODEL, model)
    config = folder / "config.json"
    config.write_text(
        json.dumps({"model_config_list": [{"config": {"name": MODEL, "base_path": "model"}}]})
    )
    command = [
        *(sys.executable, "-m", "calcgraph.servers", "serve", "--config_path", str(config)),
        *("--rest_port", "0", "--file_system_poll_wait_seconds", "0", "--log_level", "ERROR"),
        *("--log_path", str(folder / "server.log")),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    ready = _READY.search(process.stdout.readline())
    if ready is None:
        raise RuntimeError("the server did not start")
    return process, ready["rest"], model


async def reload_under_load(pid: int, rest: str, model: Path, args: argparse.Namespace) -> Run:
    target = Target.of(rest + "/v3/embeddings")
    way = Http(target)
    bodies = (BACKENDS["openai"].body(MODEL, [f"text number {i} of many"]) for i in range(TEXTS))
    requests = [Request(target.post(body, JSON), 1) for body in bodies]
    run = Run({})
    await closed_loop(
        way,
        iter(requests),
        1,
        lambda outcome: run.alone.__setitem__(outcome.request.payload, vectors(outcome.body)[0]),
    )
    over = False

    def asked() -> Iterator[Request]:
        yield from itertools.takewhile(lambda _: not over, itertools.cycle(requests))

    clients = asyncio.create_task(closed_loop(way, asked(), args.clients, run))
    reload = Target.of(rest + "/v1/config/reload").post(b"", JSON)
    for change, expected in changes(model, args.reloads, args.broken):
        await asyncio.to_thread(change)
        start = time.perf_counter()
        status = await ask(target, reload)
        run.reload_seconds.append(time.perf_counter() - start)
        run.resident.append(resident(pid))
        if status != expected:
            run.wrong_reloads.append(f"{change.__name__}: {status} instead of {expected}")
    over = True
    await clients
    await way.close()
    return run


def changes(model: Path, reloads: int, broken: int) -> Iterator[tuple[Callable[[], object], int]]:
    """What is done to the model's files before each reload, and the status that it is to answer."""
    graph, weights = model / "graph.pbtxt", model / "openvino_model.bin"
    right, whole = graph.read_text(), weights.read_bytes()
    number = itertools.count()

    def edit_graph() -> None:
        weights.write_bytes(whole)
        graph.write_text(f"{right}# edit {next(number)}\n")

    def write_weights() -> None:
        graph.write_text(right)
        weights.write_bytes(whole)

    def misspell_graph() -> None:
        graph.write_text(right.replace("pooling: MEAN", "pooling: MAX"))

    def cut_weights() -> None:
        weights.write_bytes(whole[:1000])

    good, bad = (
        itertools.cycle((edit_graph, write_weights)),
        itertools.cycle((misspell_graph, cut_weights)),
    )
    every = reloads // broken if broken else reloads + 1
    for turn in range(1, reloads + 1):
        yield (next(bad), 412) if turn % every == 0 else (next(good), 201)


async def ask(target: Target, request: bytes) -> int:
    connection = await Connection.connect(target)
    try:
        return (await connection.ask(request)).status
    finally:
        connection.close()


def resident(pid: int) -> int:
    """Bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def report(run: Run, args: argparse.Namespace) -> str:
    ms = np.quantile(run.latencies, (0.5, 0.99, 1)) * 1e3
    resident_mib = [value / _MIB for value in run.resident]
    rows = {
        "connections": f"{args.clients}",
        "reloads": f"{len(run.reload_seconds)}",
        "of which cannot work": f"{args.broken}",
        "requests answered right": f"{run.outcomes['right']:,}",
        "requests failed or answered wrong": f"{run.outcomes.total() - run.outcomes['right']:,}",
        "reloads that ended otherwise than they should": f"{len(run.wrong_reloads)}",
        "a reload, median": f"{np.median(run.reload_seconds):.1f} s",
        "latency p50, p99, longest": " , ".join(f"{value:.0f} ms" for value in ms),
        "memory after the first, the last reload, at most": ", ".join(
            f"{value:.0f} MiB" for value in (resident_mib[0], resident_mib[-1], max(resident_mib))
        ),
        "memory in the last fifth over that in the first": f"{run.growth:.3f}",
    }
    lines = ["| what | figure |", "| --- | ---: |", *(f"| {k} | {v} |" for k, v in rows.items())]
    faults = [f"- {what}: {times}" for what, times in run.outcomes.items() if what != "right"]
    return "\n".join([*lines, *([""] if faults else []), *faults, *run.wrong_reloads]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
