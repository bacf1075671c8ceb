"""Many requests of random lengths, some of them bad: is anything lost, crossed, or left in memory?

    python -m benchmarks.soak [--requests 200000] [--minutes 30] [--clients 64] [--texts FILE.csv]

Starts the server. Every answer is compared with the vector that the same text got when it was alone, so a
vector that went to the wrong request is seen. Resident memory is read after the first 10,000 requests and
at the end. Exit status 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import signal
import sys
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson
import uvloop
from tokenizers import Tokenizer
from tqdm import tqdm

from benchmarks.serving.servers import MODEL, ROOT, Server, start_ours
from benchmarks.serving.texts import Words, banking
from calcgraph.tools.bench.backends import BACKENDS
from calcgraph.tools.bench.http1 import Target
from calcgraph.tools.bench.load import Outcome, Request, closed_loop
from calcgraph.tools.bench.ways import Http

TEXTS = ROOT.parent / "shared" / "data" / "banking77" / "train.csv"
DISTINCT = 2000
LONGEST, MEAN_TOKENS = 256, 24
FIRST = 10_000
GROWTH = 1.05
SAME = 0.9999
BAD_SHARE = 0.01
JSON = {"Content-Type": "application/json"}
BAD_BODIES = (
    b"{",
    b"[]",
    orjson.dumps({"model": MODEL}),
    orjson.dumps({"model": MODEL, "input": []}),
    orjson.dumps({"model": MODEL, "input": [1, 10**7]}),
    orjson.dumps({"model": MODEL, "input": "too long " * 600}),
    orjson.dumps({"model": "nobody", "input": "x"}),
    orjson.dumps({"model": MODEL, "input": "x", "encoding_format": "hex"}),
)


@dataclass
class Check:
    """What was wrong, and how much memory the server had."""

    alone: dict[bytes, np.ndarray]
    bad: frozenset[bytes]
    server: Server
    answered: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    memory: int = 0

    def __call__(self, outcome: Outcome) -> None:
        self.answered += 1
        if self.answered == FIRST:
            self.memory = resident(self.server)
        payload = outcome.request.payload
        if payload in self.bad:
            if not re.match(r"4\d\d ", outcome.error):
                self.wrong[f"a bad request got {outcome.error[:60] or 'an answer'}"] += 1
        elif not outcome.ok:
            self.wrong[outcome.error[:100]] += 1
        elif float(vectors(outcome.body)[0] @ self.alone[payload]) < SAME:
            self.wrong["a vector that is not its text's"] += 1


class Sent:
    """The requests until time is up, counted."""

    def __init__(self, requests: Iterator[Request], end: float) -> None:
        self._requests = requests
        self._end = end
        self.count = 0

    def __iter__(self) -> Iterator[Request]:
        return self

    def __next__(self) -> Request:
        if time.perf_counter() > self._end:
            raise StopIteration
        request = next(self._requests)
        self.count += 1
        return request


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--minutes", type=float, default=30, help="send no more after so long")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--texts", type=Path, default=TEXTS, help="CSV file with a column `text`")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is to be stopped too
    server = start_ours(ROOT / "build" / "benchmarks")
    try:
        return int(uvloop.run(soak(server, args)))
    finally:
        server.stop()


async def soak(server: Server, args: argparse.Namespace) -> bool:
    """Whether anything was wrong."""
    target = Target.of(server.urls["openai"])
    good = [Request(target.post(body, JSON), 1) for body in bodies(args.texts)]
    bad = [Request(target.post(body, JSON), 1) for body in BAD_BODIES]
    way = Http(target)
    alone: dict[bytes, np.ndarray] = {}
    await closed_loop(
        way, iter(good), 1, lambda o: alone.__setitem__(o.request.payload, vectors(o.body)[0])
    )
    check = Check(alone, frozenset(request.payload for request in bad), server)
    with tqdm(total=args.requests, mininterval=5) as bar:

        def done(outcome: Outcome) -> None:
            check(outcome)
            bar.update()

        start = time.perf_counter()
        requests = itertools.islice(draw(good, bad), args.requests)
        sent = Sent(requests, start + args.minutes * 60)
        await closed_loop(way, sent, args.clients, done)
        seconds = time.perf_counter() - start
    await way.close()
    end = resident(server)
    growth = end / check.memory if check.memory else 1.0
    print(f"{check.answered:,} of {sent.count:,} requests answered in {seconds:.0f} s")
    print(
        f"memory: {check.memory >> 20} MB after {FIRST:,}, {end >> 20} MB at the end ({growth:.3f})"
    )
    for what, times in check.wrong.items():
        print(f"{times} times: {what}")
    return bool(check.wrong) or check.answered != sent.count or growth > GROWTH


def bodies(file: Path) -> Iterator[bytes]:
    """Calls for distinct texts, most of them short."""
    tokenizer = Tokenizer.from_file(str(ROOT / "models" / MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    words, chance = Words(banking(file), tokenizer), random.Random(5)
    texts: set[str] = set()
    while len(texts) < DISTINCT:
        tokens = 3 + int(chance.expovariate(1 / MEAN_TOKENS))
        texts.add(words.text(min(tokens, LONGEST)))
    return (BACKENDS["openai"].body(MODEL, [text]) for text in sorted(texts))


def draw(good: Sequence[Request], bad: Sequence[Request]) -> Iterator[Request]:
    chance = random.Random(6)
    while True:
        yield chance.choice(bad if chance.random() < BAD_SHARE else good)


def vectors(body: bytes) -> np.ndarray:
    """Float32 [N, D]: the embeddings of an answer, in the order of its inputs."""
    items = sorted(orjson.loads(body)["data"], key=lambda item: item["index"])
    return np.stack([np.frombuffer(b64decode(item["embedding"]), "<f4") for item in items])


def resident(server: Server) -> int:
    """Bytes."""
    with open(f"/proc/{server.process.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


if __name__ == "__main__":
    sys.exit(main())
