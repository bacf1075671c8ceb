"""Tokenization: texts a second by way of HF, of OpenVINO, and of the rule that chooses.

    python benchmarks/tokenization.py [MODEL_FOLDER] [--texts FILE.csv] [--cores 1] [--rounds 5]

All ways run in turn, round after round, for the box is never quiet; figures are medians over the
rounds. Then the queue: microseconds to an answer for concurrent callers on one event loop.
"""

import argparse
import asyncio
import csv
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from calcgraph.calculators.tokenization.batching import TokenizerQueue
from calcgraph.calculators.tokenization.compiled import CompiledTokenizer
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer
from calcgraph.calculators.tokenization.tokenizer import (
    COMPILED_FILE,
    REFERENCE_FILE,
    ModelTokenizer,
)

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "models" / "sentence-transformers" / "all-MiniLM-L6-v2"
TEXTS = ROOT.parent / "shared" / "data" / "banking77" / "train.csv"
SIZES = [1, 4, 8, 16, 32, 128, 1000]
CALLERS = [(1, 1), (8, 1), (64, 1), (1, 32), (8, 32)]

Way = Callable[[list[str]], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", type=Path, default=MODEL)
    parser.add_argument("--texts", type=Path, default=TEXTS, help="CSV with a column `text`")
    parser.add_argument("--cores", type=int, help="use so many of them")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    with args.texts.open(newline="", encoding="utf-8") as file:
        short = [row["text"] for row in csv.DictReader(file)]
    long = [" ".join(short[i : i + 60]) for i in range(0, 9_000, 9)]

    start = time.perf_counter()
    tokenizer = ModelTokenizer.open(args.model)
    print(f"open: {time.perf_counter() - start:.2f} s, {type(tokenizer.encoder).__name__}")
    ways: dict[str, Way] = {"HF": ReferenceTokenizer(args.model / REFERENCE_FILE).encode}
    if (args.model / COMPILED_FILE).is_file():
        ways["OpenVINO"] = CompiledTokenizer(args.model / COMPILED_FILE).encode
    ways["chosen"] = tokenizer.encode

    print(f"\n{len(os.sched_getaffinity(0))} cores, thousand texts/s")
    print(f"{'characters':>10} {'batch':>6}" + "".join(f"{name:>10}" for name in ways))
    for texts in (short, long):
        for size in SIZES:
            speeds = [
                f"{median / 1000:>10.1f}" for median in medians(ways, texts, size, args.rounds)
            ]
            print(f"{statistics.mean(map(len, texts)):>10.0f} {size:>6}" + "".join(speeds))

    print(f"\n{'callers':>8} {'texts':>6} {'p50 us':>8} {'p99 us':>8} {'texts/s':>9}")
    asyncio.run(measure_queue(tokenizer, short))


def medians(ways: dict[str, Way], texts: list[str], size: int, rounds: int) -> list[float]:
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(rate(way, texts, size))
    return [statistics.median(each) for each in rates.values()]


def rate(way: Way, texts: list[str], size: int, seconds: float = 0.1) -> float:
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        first = done % (len(texts) - size + 1)
        way(texts[first : first + size])
        done += size
    return done / spent


async def measure_queue(tokenizer: ModelTokenizer, texts: list[str]) -> None:
    async with TokenizerQueue(tokenizer) as queue:
        for callers, size in CALLERS:
            start = time.perf_counter()
            waits = await asyncio.gather(*[call(queue, texts, i, size) for i in range(callers)])
            spent = time.perf_counter() - start
            flat = sorted(wait for each in waits for wait in each)
            p50, p99 = (1e6 * flat[int(len(flat) * q)] for q in (0.5, 0.99))
            print(
                f"{callers:>8} {size:>6} {p50:>8.0f} {p99:>8.0f} {len(flat) * size / spent:>9.0f}"
            )


async def call(
    queue: TokenizerQueue, texts: list[str], caller: int, size: int, calls: int = 100
) -> list[float]:
    waits = []
    for i in range(calls):
        first = (97 * caller + 13 * i) % (len(texts) - size)
        start = time.perf_counter()
        await queue.encode(texts[first : first + size])
        waits.append(time.perf_counter() - start)
        await asyncio.sleep(0)
    return waits


if __name__ == "__main__":
    main()
