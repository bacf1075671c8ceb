"""Ten times more than the server can do, for a minute: what is answered, what is refused, how fast, in how much memory?

    python -m benchmarks.overload [--times 10] [--seconds 60] [--texts-per-request 256] [--texts FILE.csv]

Starts the server, finds its peak with clients that wait for their answers (closed loop), then sends `--times` as
much by the clock (open loop), whether or not anything is answered. A latency counts from the time at which the
request was due, so the generator's own delays, on the same cores, are charged to the server. Requests are of many
texts, so that ten times the capacity is a rate that two cores can send and refuse besides serving: what a refusal
costs is paid a request, what an answer costs a token. Exit status 1 when goodput
falls below 0.9 of the peak, a refusal is later than 50 ms (99 of 100), or memory grows by more than a tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.serving.sample import cpu_seconds
from benchmarks.serving.servers import MODEL, ROOT, Server, start_ours
from benchmarks.serving.texts import banking
from benchmarks.soak import TEXTS, resident
from calcgraph.tools.bench.backends import BACKENDS
from calcgraph.tools.bench.http1 import Connection, Target
from calcgraph.tools.bench.load import Outcome, Request, closed_loop, open_loop
from calcgraph.tools.bench.ways import Http

WARM_UP_S, PEAK_S = 5.0, 12.0
CLIENTS = 16
LEAST_GOODPUT, LATEST_REFUSAL_S, MOST_GROWTH = 0.9, 0.05, 1.1
PROBE_EVERY_S = 0.2
REFUSED = "429"


@dataclass
class Tally:
    """What became of the requests of one phase."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    """Latencies in seconds."""
    texts: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    def __call__(self, outcome: Outcome) -> None:
        if outcome.ok:
            self.answered.append(outcome.latency)
            self.texts += outcome.request.documents
        elif outcome.error.startswith(REFUSED):
            self.refused.append(outcome.latency)
        else:
            self.wrong[outcome.error[:80]] += 1


@dataclass
class Watch:
    """Memory and liveness of the server while it is loaded."""

    server: Server
    target: Target
    memory: list[int] = field(default_factory=list)
    """Bytes."""
    live: list[float] = field(default_factory=list)
    """Seconds that /v2/health/live took."""

    async def run(self) -> None:
        ask = f"GET /v2/health/live HTTP/1.1\r\nHost: {self.target.host}\r\n\r\n".encode()
        connection = await Connection.connect(self.target)
        while True:
            self.memory.append(resident(self.server))
            start = time.perf_counter()
            await connection.ask(ask)
            self.live.append(time.perf_counter() - start)
            await asyncio.sleep(PROBE_EVERY_S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--texts-per-request", type=int, default=256)
    parser.add_argument("--queue-seconds", type=float, default=1)
    parser.add_argument("--texts", type=Path, default=TEXTS, help="CSV file with a column `text`")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is to be stopped too
    server = start_ours(
        ROOT / "build" / "benchmarks",
        *("--max_queue_seconds", str(args.queue_seconds)),
        *("--max_bulk_queue_seconds", str(args.queue_seconds)),
    )
    try:
        return int(uvloop.run(overload(server, args)))
    finally:
        server.stop()


async def overload(server: Server, args: argparse.Namespace) -> bool:
    """Whether anything was not as it should be."""
    target = Target.of(server.urls["openai"])
    requests = endless(target, banking(args.texts), args.texts_per_request)
    way = Http(target)
    await closed(way, requests, WARM_UP_S)
    peak = (await closed(way, requests, PEAK_S)).texts / PEAK_S
    rate = args.times * peak / args.texts_per_request
    print(f"peak: {peak:.0f} texts/s; now {rate:.0f} requests/s of {args.texts_per_request} texts")
    watch = Watch(server, target)
    watching = asyncio.create_task(watch.run())
    tally, start = Tally(), time.perf_counter()
    used = cpu_seconds(server.process.pid), time.process_time()
    steady = (at for at in itertools.count(0.0, 1 / rate))
    await open_loop(way, requests, itertools.takewhile(lambda at: at < args.seconds, steady), tally)
    seconds = time.perf_counter() - start
    watching.cancel()
    cpu = cpu_seconds(server.process.pid) - used[0], time.process_time() - used[1]
    print("processor time a second: server {:.2f}, load {:.2f}".format(*(c / seconds for c in cpu)))
    after = (await closed(way, requests, WARM_UP_S)).texts / WARM_UP_S
    await way.close()
    return report(tally, watch, peak, after, seconds)


async def closed(way: Http, requests: Iterator[Request], seconds: float) -> Tally:
    tally = Tally()
    await closed_loop(way, requests, CLIENTS, tally, until=time.perf_counter() + seconds)
    return tally


def endless(target: Target, texts: Sequence[str], each: int) -> Iterator[Request]:
    """Requests of the texts in turn, ready to be sent."""
    headers = {"Content-Type": "application/json"}
    openai = BACKENDS["openai"]
    groups = [texts[i : i + each] for i in range(0, len(texts) - each, each)]
    ready = [Request(target.post(openai.body(MODEL, group), headers), each) for group in groups]
    return itertools.cycle(ready)


def report(tally: Tally, watch: Watch, peak: float, after: float, seconds: float) -> bool:
    """Print the table; whether something in it is not as it should be."""
    goodput = tally.texts / seconds / peak
    # The first second fills the queue, and with it the memory that it takes.
    memory = watch.memory[int(1 / PROBE_EVERY_S) :]
    growth = max(memory) / memory[0]
    print("| | |")
    print("|---|---|")
    print(f"| peak (closed loop, {CLIENTS} clients) | {peak:,.0f} texts/s |")
    print(
        f"| goodput under load | {tally.texts / seconds:,.0f} texts/s, {goodput:.2f} of the peak |"
    )
    print(f"| peak afterwards | {after:,.0f} texts/s |")
    print(f"| answered | {row(tally.answered)} |")
    print(f"| refused with 429 | {row(tally.refused)} |")
    print(f"| anything else | {sum(tally.wrong.values())} {dict(tally.wrong) or ''} |")
    print(f"| /v2/health/live meanwhile | {row(watch.live)} |")
    print(f"| memory | {memory[0] >> 20} MB, at most {max(memory) >> 20} MB |")
    late = percentile(tally.refused, 99) > LATEST_REFUSAL_S
    return goodput < LEAST_GOODPUT or late or growth > MOST_GROWTH or bool(tally.wrong)


def row(latencies: Sequence[float]) -> str:
    if not latencies:
        return "0"
    middle, high = (percentile(latencies, percent) * 1000 for percent in (50, 99))
    longest = max(latencies) * 1000
    return (
        f"{len(latencies):,}: p50 {middle:,.0f} ms, p99 {high:,.0f} ms, longest {longest:,.0f} ms"
    )


def percentile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    sys.exit(main())
