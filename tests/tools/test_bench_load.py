"""Open and closed loops, on a server whose answers take a known time."""

import asyncio
import itertools
import statistics
import time

import pytest

from calcgraph.tools.bench.http1 import Reply
from calcgraph.tools.bench.load import Outcome, Request, closed_loop, open_loop, poisson

REQUESTS = [Request(str(i).encode(), 1) for i in range(20)]


class OneAtATime:
    """A server with one worker, which takes `seconds` for each request; the first takes `first`."""

    def __init__(self, seconds: float = 0.0, first: float | None = None) -> None:
        self._times = itertools.chain(
            [seconds if first is None else first], itertools.repeat(seconds)
        )
        self._worker = asyncio.Lock()
        self.seen: list[bytes] = []
        self.waiting = self.most_waiting = 0

    async def send(self, request: bytes) -> Reply:
        self.seen.append(request)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            async with self._worker:
                await asyncio.sleep(next(self._times))
        finally:
            self.waiting -= 1
        if request == b"13":
            raise ConnectionError("bad luck")
        return Reply(500 if request == b"7" else 200, b"no\n  way" if request == b"7" else b"")

    async def close(self) -> None: ...


def test_clients_share_the_requests_and_each_is_sent_once() -> None:
    async def run() -> tuple[OneAtATime, list[Outcome]]:
        server, outcomes = OneAtATime(), list[Outcome]()
        await closed_loop(server, iter(REQUESTS), 4, outcomes.append)
        return server, outcomes

    server, outcomes = asyncio.run(run())
    assert sorted(server.seen) == sorted(r.payload for r in REQUESTS)
    assert server.most_waiting == 4
    errors = {o.request.payload: o.error for o in outcomes if not o.ok}
    assert errors == {b"7": "500 no way", b"13": "bad luck"}


def test_a_closed_loop_ends_at_its_time() -> None:
    async def run() -> int:
        outcomes = list[Outcome]()
        server = OneAtATime(0.001)
        until = time.perf_counter() + 0.05
        await closed_loop(server, itertools.cycle(REQUESTS), 2, outcomes.append, until)
        return len(outcomes)

    assert 1 < asyncio.run(run()) <= 51


def test_a_stall_is_charged_to_all_whom_it_made_wait() -> None:
    """A closed loop sees one slow answer; a clock sees every request that was due meanwhile."""

    async def run() -> tuple[list[float], list[float]]:
        clocked, waited = list[Outcome](), list[Outcome]()
        times = (i * 0.01 for i in range(20))
        await open_loop(OneAtATime(0.0, first=0.2), iter(REQUESTS), times, clocked.append)
        await closed_loop(OneAtATime(0.0, first=0.2), iter(REQUESTS), 1, waited.append)
        return [o.latency for o in clocked], [o.latency for o in waited]

    clocked, waited = asyncio.run(run())
    assert statistics.median(clocked) > 0.05 > statistics.median(waited)
    assert len(clocked) == len(waited) == 20


def test_waiting_for_a_place_counts_as_latency() -> None:
    async def run() -> tuple[OneAtATime, list[Outcome]]:
        server, outcomes = OneAtATime(0.01), list[Outcome]()
        due_at_once = itertools.repeat(0.0)
        await open_loop(server, iter(REQUESTS[:5]), due_at_once, outcomes.append, 1)
        return server, outcomes

    server, outcomes = asyncio.run(run())
    assert server.most_waiting == 1
    latencies = [o.latency for o in outcomes]
    assert latencies == sorted(latencies)
    assert latencies[-1] >= 0.05


def test_requests_never_leave_before_their_time() -> None:
    async def run() -> list[Outcome]:
        outcomes = list[Outcome]()
        times = (i * 0.005 for i in range(10))
        await open_loop(OneAtATime(), iter(REQUESTS), times, outcomes.append)
        return outcomes

    outcomes = asyncio.run(run())
    assert all(o.latency >= 0 for o in outcomes)
    assert max(o.due for o in outcomes) - min(o.due for o in outcomes) == pytest.approx(0.045)


def test_arrivals_come_at_their_rate_and_the_same_each_time() -> None:
    arrivals = list(itertools.islice(poisson(200.0), 4000))
    assert arrivals == list(itertools.islice(poisson(200.0), 4000))
    assert arrivals[-1] == pytest.approx(20.0, rel=0.1)
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    assert statistics.stdev(gaps) == pytest.approx(1 / 200, rel=0.1)
