"""A few seconds of load on one server."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.serving.sample import Sample, Stopwatch
from benchmarks.serving.servers import MODEL, Server
from calcgraph.tools.bench.backends import BACKENDS
from calcgraph.tools.bench.http1 import Target
from calcgraph.tools.bench.load import Done, Outcome, Request, closed_loop, open_loop, poisson
from calcgraph.tools.bench.ways import Grpc, Http, Way

WARM_UP_S = 0.8
SETTLE_S = 0.3
"""For what is being inferred when its client leaves: a server that is stopped meanwhile would take the
pause for its own slowness."""
JSON = {"Content-Type": "application/json"}
BULK_TEXTS, BULK_REQUEST, BULK_CLIENTS = 10_000, 500, 2
PROBES_PER_SECOND = 20.0


@dataclass(frozen=True)
class Workload:
    """Texts, how many a request, and how many clients (or how many requests a second)."""

    name: str
    texts: Sequence[str]
    batch: int
    clients: int
    rate: float | None = None


@dataclass(frozen=True)
class Contestant:
    """A server by one of its protocols."""

    name: str
    server: Server
    backend: str

    def way(self) -> Way:
        url = self.server.urls[self.backend]
        return Grpc(url) if BACKENDS[self.backend].grpc else Http(Target.of(url))

    def requests(self, texts: Sequence[str], batch: int) -> Iterator[Request]:
        """For ever."""
        backend, url = BACKENDS[self.backend], self.server.urls[self.backend]
        groups = [texts[i : i + batch] for i in range(0, len(texts) - batch + 1, batch)]
        bodies = [backend.body(MODEL, group) for group in groups]
        if not backend.grpc:
            bodies = [Target.of(url).post(body, JSON) for body in bodies]
        return itertools.cycle([Request(body, batch) for body in bodies])


async def measure(contestant: Contestant, workload: Workload, seconds: float) -> Sample:
    """Some seconds in the middle of the load, which starts earlier and ends later: neither a queue that
    fills nor one that runs empty is counted.

    The other servers are to stand still meanwhile.
    """
    way = contestant.way()
    start = time.perf_counter() + WARM_UP_S
    end = start + seconds
    outcomes: list[Outcome] = []
    load = asyncio.create_task(_load(way, contestant, workload, outcomes.append, end))
    try:
        await asyncio.sleep(start - time.perf_counter())
        watch = Stopwatch(contestant.server.process.pid)
        await asyncio.sleep(end - time.perf_counter())
        watch.stop()
        await load
        return _sample(watch, outcomes, start, end)
    finally:
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        await way.close()


async def _load(
    way: Way, contestant: Contestant, workload: Workload, done: Done, end: float
) -> None:
    requests = contestant.requests(workload.texts, workload.batch)
    if workload.rate is None:
        await closed_loop(way, requests, workload.clients, done, end)
    else:
        seconds = end - time.perf_counter()
        times = itertools.takewhile(lambda at: at < seconds, poisson(workload.rate))
        await open_loop(way, requests, times, done)


async def beside_bulk(
    contestant: Contestant, texts: Sequence[str], seconds: float
) -> tuple[Sample, Sample]:
    """Single texts by the clock: alone, and while another client has thousands of texts embedded."""
    probe = Workload("probe", texts, 1, 1, PROBES_PER_SECOND)
    alone = await measure(contestant, probe, seconds)
    way = contestant.way()
    requests = contestant.requests(texts[:BULK_TEXTS], BULK_REQUEST)
    bulk = asyncio.create_task(closed_loop(way, requests, BULK_CLIENTS, _must_succeed))
    try:
        await asyncio.sleep(0.2)
        busy = await measure(contestant, probe, seconds)
        if bulk.done():
            bulk.result()
        return alone, busy
    finally:
        bulk.cancel()
        await asyncio.gather(bulk, return_exceptions=True)
        await way.close()
        await asyncio.sleep(SETTLE_S)


def _must_succeed(outcome: Outcome) -> None:
    if not outcome.ok:
        raise RuntimeError(f"the bulk job failed: {outcome.error}")


def _sample(watch: Stopwatch, outcomes: Sequence[Outcome], start: float, end: float) -> Sample:
    """Of requests that were under way between these times; as much of each counts as lies between."""
    within = [outcome for outcome in outcomes if outcome.done > start and outcome.due < end]
    good = [outcome for outcome in within if outcome.ok]
    texts = sum(
        outcome.request.documents
        * (min(outcome.done, end) - max(outcome.due, start))
        / outcome.latency
        for outcome in good
    )
    return watch.sample(texts, [outcome.latency for outcome in good], len(within) - len(good))


def median(samples: Sequence[Sample], name: str) -> float:
    """Of one figure, over the rounds."""
    return float(np.median([getattr(sample, name) for sample in samples]))
