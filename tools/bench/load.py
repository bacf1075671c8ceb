"""Requests sent to a server by a clock, or by clients that wait, and how long each took.

Open loop: requests leave by a clock, whether or not earlier ones are answered, and a latency counts
from the time at which the request was due. So a server that stalls is charged for all whom it made
wait (to forget them is called coordinated omission). Closed loop: so many clients, each sends its next
request when its last one is answered.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

from calcgraph.tools.bench.ways import ANSWER_LIMIT_S, OK, Way


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and what it asks for."""

    payload: bytes
    documents: int
    tokens: int | None = None
    """Of all its documents, where a tokenizer told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. Times in seconds of time.perf_counter."""

    request: Request
    due: float
    done: float
    body: bytes
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def latency(self) -> float:
        return self.done - self.due


Done = Callable[[Outcome], object]


async def closed_loop(
    way: Way, requests: Iterator[Request], clients: int, done: Done, until: float = float("inf")
) -> None:
    """Each of the clients takes the next request when its last is answered.

    Ends with the requests, or once perf_counter has passed `until`; what is under way is finished.
    """

    async def client() -> None:
        while time.perf_counter() < until:
            request = next(requests, None)
            if request is None:
                return
            done(await _ask(way, request, time.perf_counter()))

    await asyncio.gather(*(client() for _ in range(clients)))


async def open_loop(
    way: Way,
    requests: Iterator[Request],
    arrivals: Iterator[float],
    done: Done,
    most_in_flight: int | None = None,
) -> None:
    """Send each request at its time, in seconds from now; wait for all answers.

    With `most_in_flight` a request that is due may wait for an earlier one, and the wait counts.
    """
    places = asyncio.Semaphore(most_in_flight) if most_in_flight else nullcontext()

    async def one(request: Request, due: float) -> None:
        async with places:
            done(await _ask(way, request, due))

    with _Clock(requests, arrivals) as clock:
        async with asyncio.TaskGroup() as tasks:
            while (item := await clock.due.get()) is not None:
                tasks.create_task(one(*item))


def poisson(rate: float, seed: int = 1) -> Iterator[float]:
    """Times of independent arrivals, `rate` a second on average."""
    at, draw = 0.0, random.Random(seed)
    while True:
        at += draw.expovariate(rate)
        yield at


async def _ask(way: Way, request: Request, due: float) -> Outcome:
    try:
        reply = await way.send(request.payload)
    except TimeoutError:
        return Outcome(request, due, time.perf_counter(), b"", f"no answer in {ANSWER_LIMIT_S:g} s")
    except OSError as error:
        return Outcome(request, due, time.perf_counter(), b"", str(error) or type(error).__name__)
    now = time.perf_counter()
    if reply.status == OK:
        return Outcome(request, due, now, reply.body)
    text = " ".join(reply.body.decode("utf-8", "replace").split())
    return Outcome(request, due, now, reply.body, f"{reply.status} {text[:300]}")


class _Clock:
    """Hands requests to the event loop when they are due; None after the last.

    A thread, because event loops wake to the millisecond, which is as long as a short text takes.
    """

    def __init__(self, requests: Iterator[Request], arrivals: Iterator[float]) -> None:
        self.due: asyncio.Queue[tuple[Request, float] | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._timetable = zip(requests, arrivals, strict=False)
        self._thread = threading.Thread(target=self._run, name="clock")

    def __enter__(self) -> _Clock:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        start = time.perf_counter()
        for request, arrival in self._timetable:
            due = start + arrival
            if self._stop.wait(max(0.0, due - time.perf_counter())):
                return
            self._loop.call_soon_threadsafe(self.due.put_nowait, (request, due))
        self._loop.call_soon_threadsafe(self.due.put_nowait, None)
