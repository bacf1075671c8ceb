"""SIGTERM under load, over and over: is a request lost that the server had accepted?

    python -m benchmarks.shutdown [--rounds 100] [--clients 16]

Each round starts the server, loads it with clients that keep their connections and make new ones when those are
closed, sends SIGTERM in the middle of it, and looks at every request: answered, refused by a port that is closed
already, or lost: sent over a connection that was made, and never answered. Exit status 1 when one was lost, or a
server ended with another status than 0.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field

import uvloop
from tqdm import tqdm

from benchmarks.serving.servers import MODEL, ROOT, Server, start_ours
from calcgraph.tools.bench.backends import BACKENDS
from calcgraph.tools.bench.http1 import Connection, Target

LOADED_S = (0.2, 0.8)
"""SIGTERM comes at some time between these."""
TEXTS = ["a happy person walks along the river"] * 8
ANSWER_S = 60.0
JSON = {"Content-Type": "application/json"}


@dataclass
class Round:
    """What became of the requests of one server."""

    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    outcomes: Counter[str] = field(default_factory=Counter)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--clients", type=int, default=16)
    args = parser.parse_args()
    total: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    chance, clean = random.Random(7), 0
    for _ in tqdm(range(args.rounds)):
        server = start_ours(ROOT / "build" / "benchmarks", settle=False)
        try:
            outcomes = uvloop.run(one_round(server, args.clients, chance.uniform(*LOADED_S)))
            statuses[server.process.wait(ANSWER_S)] += 1
        finally:
            server.stop()
        total += outcomes
        clean += not any(what.startswith("lost") for what in outcomes)
    print(f"{clean} of {args.rounds} rounds without a lost request")
    for what, times in sorted(total.items()):
        print(f"{times:,} requests: {what}")
    print(f"exit statuses: {dict(statuses)}")
    return int(clean < args.rounds or set(statuses) != {0})


async def one_round(server: Server, clients: int, seconds: float) -> Counter[str]:
    target = Target.of(server.urls["openai"])
    request = target.post(BACKENDS["openai"].body(MODEL, TEXTS), JSON)
    now = Round()
    running = [asyncio.create_task(client(target, request, now)) for _ in range(clients)]
    await asyncio.sleep(seconds)
    server.process.send_signal(signal.SIGTERM)
    now.stopped.set()
    await asyncio.gather(*running)
    return now.outcomes


async def client(target: Target, request: bytes, now: Round) -> None:
    """Ask until nobody listens any more."""
    connection: Connection | None = None
    while True:
        if connection is None or not connection.usable:
            try:
                connection = await Connection.connect(target)
            except ConnectionRefusedError:
                return
        when = "after SIGTERM" if now.stopped.is_set() else "before SIGTERM"
        try:
            async with asyncio.timeout(ANSWER_S):
                reply = await connection.ask(request)
        except OSError as error:
            now.outcomes[f"lost, sent {when}: {error}"] += 1
            connection = None
        else:
            now.outcomes[f"answered with {reply.status}, sent {when}"] += 1


if __name__ == "__main__":
    sys.exit(main())
