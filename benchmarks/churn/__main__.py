"""An hour of service under churn: models reloaded and broken, clients gone, threads killed, bad requests.

    python -m benchmarks.churn [--minutes 60] [--rate 20] [--every 15] [--docs docs/robustness]

Requests arrive by a clock, at random, `--rate` a second; every `--every` seconds something is done to the server
(events.py). Every vector is compared with what its text got when it was alone. Exit status 1 when a request
failed that no killed thread had at hand, when a vector was another's, or when memory grew by more than 5 %
after the first quarter. Prints Markdown; --docs writes it there, with the plot and every window as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.churn.events import EVENTS, FAULTS, JSON, Place, kill_engines
from benchmarks.churn.judge import Judge
from benchmarks.churn.record import Record, plot
from benchmarks.serving.servers import MODEL, ROOT
from benchmarks.serving.texts import banking
from benchmarks.soak import BAD_BODIES, TEXTS, vectors
from calcgraph.tools.bench.backends import BACKENDS
from calcgraph.tools.bench.http1 import Target
from calcgraph.tools.bench.load import Request, closed_loop, open_loop, poisson
from calcgraph.tools.bench.ways import Http

WINDOW_S = 10.0
SIZES = (1,) * 90 + (8,) * 9 + (64,)
"""Texts of a request, drawn from these."""
BAD_SHARE = 0.02
SETTLED = 0.25
GROWTH = 1.05
_READY = re.compile(r"ready: REST (?P<rest>\S+), gRPC (?P<grpc>\S+),")
_GRAPH = """
input_stream: "REQUEST:request"
output_stream: "RESPONSE:response"
node { calculator: "Faults" input_stream: "REQUEST:request" output_stream: "RESPONSE:response" }
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    parser.add_argument("--every", type=float, default=15, help="seconds from event to event")
    parser.add_argument("--texts", type=Path, default=TEXTS, help="CSV file with a column `text`")
    parser.add_argument("--docs", type=Path, help="folder for the plot and the figures")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is to be stopped too
    with tempfile.TemporaryDirectory(prefix="calcgraph-churn-") as folder:
        process, place = start(Path(folder))
        try:
            return int(uvloop.run(churn(process, place, args)))
        finally:
            process.terminate()
            process.wait(60)


def start(folder: Path) -> tuple[subprocess.Popen[str], Place]:
    """A server of the default model, in a folder that may be edited, and of the faults."""
    model = folder / MODEL
    # Links: nothing is written into the model's files but its graph, which is replaced.
    shutil.copytree(ROOT / "models" / MODEL, model, copy_function=os.link)
    (folder / FAULTS).mkdir()
    (folder / FAULTS / "graph.pbtxt").write_text(_GRAPH)
    names = [{"config": {"name": name, "base_path": name}} for name in (MODEL, FAULTS)]
    config = folder / "config.json"
    config.write_text(json.dumps({"model_config_list": names}))
    log = folder / "server.log"
    command = [
        *(sys.executable, "-m", "calcgraph.servers", "serve", "--config_path", str(config)),
        *("--rest_port", "0", "--port", "0", "--log_path", str(log)),
        *("--calculators", str(Path(__file__).with_name("faults.py"))),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    ready = _READY.search(process.stdout.readline())
    if ready is None:
        raise RuntimeError(f"the server did not start:\n{log.read_text()}")
    return process, Place(ready["rest"], ready["grpc"], model, log)


async def churn(process: subprocess.Popen[str], place: Place, args: argparse.Namespace) -> bool:
    """Whether anything was wrong."""
    target = Target.of(place.rest + "/v3/embeddings")
    way = Http(target)
    good = [Request(target.post(body, JSON), 1) for body in _bodies(banking(args.texts))]
    bad = [Request(target.post(body, JSON), 1) for body in BAD_BODIES]
    alone: dict[bytes, np.ndarray] = {}
    await closed_loop(
        way, iter(good), 1, lambda o: alone.__setitem__(o.request.payload, vectors(o.body))
    )
    record = Record(process.pid)
    judge = Judge(record, alone, frozenset(request.payload for request in bad))
    end = args.minutes * 60
    arrivals = itertools.takewhile(lambda at: at < end, poisson(args.rate))
    background = [
        asyncio.create_task(_every(WINDOW_S, record.close_window)),
        asyncio.create_task(_happen(place, judge, args.every)),
    ]
    await open_loop(way, _draw(good, bad), arrivals, judge)
    happenings = background[1]
    wrong = happenings.done() and happenings.exception()
    for task in background:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
    await way.close()
    judge.settle()
    text = _report(record, args, f"{type(wrong).__name__}: {wrong}" if wrong else "")
    print(text)
    if args.docs:
        args.docs.mkdir(parents=True, exist_ok=True)
        (args.docs / "churn.md").write_text(text)
        (args.docs / "churn.json").write_text(json.dumps(record.as_json()))
        plot(record.windows, record.happenings, args.docs / "churn.png")
    return bool(wrong or record.failures or record.growth(SETTLED) > GROWTH)


async def _happen(place: Place, judge: Judge, every: float) -> None:
    for event in itertools.cycle(EVENTS):
        await asyncio.sleep(every)
        if event is kill_engines:
            judge.kills.append(time.perf_counter())
        name = event.__name__.replace("_", " ")
        judge.record.happened(name, await event(place))


async def _every(seconds: float, deed: object) -> None:
    assert callable(deed)
    while True:
        await asyncio.sleep(seconds)
        deed()


def _bodies(texts: list[str]) -> Iterator[bytes]:
    chance = random.Random(5)
    for _ in range(600):
        size = chance.choice(SIZES)
        yield BACKENDS["openai"].body(MODEL, chance.sample(texts, size))


def _draw(good: list[Request], bad: list[Request]) -> Iterator[Request]:
    chance = random.Random(6)
    while True:
        yield chance.choice(bad if chance.random() < BAD_SHARE else good)


def _report(record: Record, args: argparse.Namespace, wrong: str) -> str:
    first, last = record.windows[0], record.windows[-1]
    counts = {h.name: 0 for h in record.happenings}
    for happening in record.happenings:
        counts[happening.name] += 1
    quantile = {
        p: float(np.nanmedian([getattr(w, p) for w in record.windows]))
        for p in ("p50", "p95", "p99")
    }
    lines = [
        f"{args.minutes:g} minutes, {args.rate:g} requests a second, something done every {args.every:g} s.",
        "",
        "| what | figure |",
        "| --- | ---: |",
        *(f"| {name} | {count:,} |" for name, count in record.outcomes.items()),
        *(f"| **wrong**: {name} | {count:,} |" for name, count in record.failures.items()),
        *(f"| done to the server: {name} | {count} |" for name, count in counts.items()),
        *(
            f"| latency {name}, median of the windows | {ms:.1f} ms |"
            for name, ms in quantile.items()
        ),
        f"| resident memory, first and last window | {first.resident_mib:.0f}, {last.resident_mib:.0f} MiB |",
        f"| memory at the end, over that after a quarter | {record.growth(SETTLED):.3f} |",
        f"| threads, first and last window | {first.threads}, {last.threads} |",
        f"| open files, first and last window | {first.files}, {last.files} |",
        *([f"| **an event failed** | {wrong} |"] if wrong else []),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
