"""Requests sent to a server by a clock or by clients that wait, and how long each took.

Open loop: requests leave by a clock, whether or not earlier ones are answered, and a latency counts from
the time at which the request was due. A server that stalls is charged for all that it made wait
(leaving that out is called coordinated omission). Closed loop: so many clients, each sends its next
request when its last one is answered.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from calcgraph.tools.bench.http1 import Connection, Reply, Target

OK: Final = 200
ANSWER_LIMIT_S: Final = 600.0
"""No answer for this long is a failure. Nothing ever waits for ever."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. Times in seconds of time.perf_counter."""

    due: float
    done: float
    reply: Reply | None
    """None when the connection failed."""
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def latency(self) -> float:
        return self.done - self.due


@dataclass(slots=True)
class Run:
    """What came of all requests of a run, in the order of the requests' ends."""

    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0


class Way(Protocol):
    """One way to put a request to a server."""

    async def send(self, request: bytes) -> Reply:
        """Raises OSError when the request cannot be sent or is not answered."""

    async def close(self) -> None: ...


class Http:
    """Keeps the connections that are idle, and opens one more when none is."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._idle: list[Connection] = []

    async def send(self, request: bytes) -> Reply:
        connection = await self._connection()
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reply = await connection.ask(request)
        except BaseException:
            connection.close()
            raise
        if connection.usable:
            self._idle.append(connection)
        return reply

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return await Connection.connect(self._target)


Done = Callable[[Outcome], None]


async def closed_loop(
    way: Way, requests: Iterator[bytes], clients: int, done: Done, until: float = float("inf")
) -> None:
    """Each of the clients takes the next request when its last is answered.

    Ends with the requests, or when perf_counter passes `until`: requests under way are finished.
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
    requests: Iterator[bytes],
    arrivals: Iterator[float],
    done: Done,
    most_in_flight: int | None = None,
) -> None:
    """Send each request at its time, `arrivals` seconds from now; wait for all answers.

    With `most_in_flight` a request that is due may have to wait for an earlier one, and the wait is part
    of its latency.
    """
    start = time.perf_counter()
    places = asyncio.Semaphore(most_in_flight) if most_in_flight else None

    async def one(request: bytes, due: float) -> None:
        if places is None:
            done(await _ask(way, request, due))
            return
        async with places:
            done(await _ask(way, request, due))

    async with asyncio.TaskGroup() as tasks:
        for request, arrival in zip(requests, arrivals, strict=False):
            due = start + arrival
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            tasks.create_task(one(request, due))


def poisson(rate: float, seed: int = 1) -> Iterator[float]:
    """Times of independent arrivals, `rate` a second on average."""
    at, draw = 0.0, random.Random(seed)
    while True:
        at += draw.expovariate(rate)
        yield at


async def _ask(way: Way, request: bytes, due: float) -> Outcome:
    try:
        reply = await way.send(request)
    except TimeoutError:
        return Outcome(due, time.perf_counter(), None, f"no answer in {ANSWER_LIMIT_S:g} s")
    except OSError as error:
        return Outcome(due, time.perf_counter(), None, str(error) or type(error).__name__)
    now = time.perf_counter()
    if reply.status != OK:
        text = " ".join(reply.body.decode("utf-8", "replace").split())
        return Outcome(due, now, reply, f"{reply.status} {text[:300]}")
    return Outcome(due, now, reply)
