"""The engine against the bare OpenVINO that is under it, on one model and real texts.

    python benchmarks/engine.py [MODEL_FOLDER] [--texts FILE.csv] [--rounds 5] [--seconds 1]

All ways run in turn, round after round, for the box is never quiet; the table has medians over the
rounds, and ratios taken within each round. Texts are tokenized beforehand.
"""

import argparse
import asyncio
import csv
import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from tokenizers import Tokenizer

from calcgraph.calculators.engine import Engine, Pooling
from calcgraph.calculators.engine.compiled import Encoding, Head, Program, Request
from calcgraph.calculators.engine.device import complete_config
from calcgraph.calculators.engine.model import read_encoder
from calcgraph.calculators.engine.pack import Dispatch, plan
from calcgraph.calculators.engine.shapes import Shape, ShapeTable
from calcgraph.calculators.engine.surgery import Positions, packed_model, positions

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "models" / "sentence-transformers" / "all-MiniLM-L6-v2"
TEXTS = ROOT.parent / "shared" / "data" / "banking77" / "train.csv"
MAX_TOKENS = 256
SHORT_ROWS = Shape(128, 8, 32)

Sequences = list[np.ndarray]
Way = Callable[[float], float]
"""Runs for about so many seconds, returns texts a second."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", type=Path, default=MODEL)
    parser.add_argument("--texts", type=Path, default=TEXTS, help="CSV file with a column `text`")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each way in each round")
    parser.add_argument("--only", default="", help="ways whose name has this in it")
    args = parser.parse_args()

    texts = tokenize(args.model, args.texts)
    long = longest(texts)
    mean = statistics.mean(map(len, texts))
    print(f"{len(texts)} texts of {mean:.1f} tokens on average, from {args.texts.name}")
    with Engine.open(
        args.model, pooling=Pooling.MEAN, normalize=True, max_tokens=MAX_TOKENS
    ) as engine:
        engine.warm_up()
        print(engine.info)
        raw = Raw(args.model)
        ways: dict[str, Way] = {
            "raw, a text an inference": lambda s: raw.one_by_one(texts, s),
            "raw, sorted batches of 32": lambda s: raw.batches(sorted_batches(texts), s),
            "raw, packed rows": lambda s: raw.packed(texts, s),
            "engine, 64 x 1 text": lambda s: in_flight(engine, texts, 64, 1, s),
            "engine, 8 x 32 texts": lambda s: in_flight(engine, texts, 8, 32, s),
            "raw, 256 tokens, batches of 32": lambda s: raw.batches(itertools.cycle([long]), s),
            "engine, 256 tokens, 8 x 32 texts": lambda s: in_flight(engine, long, 8, 32, s),
        }
        ways = {name: way for name, way in ways.items() if args.only in name}
        report(ways, measure(ways, args.rounds, args.seconds))
        latency(engine, raw, texts, args.rounds)
        print(engine.counts)


def tokenize(model: Path, texts: Path) -> Sequences:
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    with texts.open(newline="") as file:
        lines = [row["text"] for row in csv.DictReader(file)]
    random.Random(1).shuffle(lines)
    return [np.array(e.ids) for e in tokenizer.encode_batch(lines[:4000])]


def longest(texts: Sequences) -> Sequences:
    """32 texts of 256 tokens."""
    ids = np.concatenate(texts)
    return [ids[i * MAX_TOKENS : (i + 1) * MAX_TOKENS] for i in range(32)]


def sorted_batches(texts: Sequences) -> Iterator[Sequences]:
    ordered = sorted(texts, key=len)
    batches = [ordered[i : i + 32] for i in range(0, len(ordered), 32)]
    random.Random(2).shuffle(batches)
    return itertools.cycle(batches)


class Raw:
    """OpenVINO with nothing around it."""

    def __init__(self, folder: Path, shape: Shape = SHORT_ROWS) -> None:
        core = ov.Core()
        config = complete_config(["CPU"], {})
        self._dynamic = core.compile_model(
            folder / "openvino_model.xml", "CPU", config
        ).create_infer_request()
        encoder = read_encoder(core, folder)
        places = positions(core, encoder) or Positions()
        encoding = Encoding(
            packed_model(core, encoder), places, Head(Pooling.MEAN, True), encoder.dimensions
        )
        self._request = Request(Program(core, encoding, shape, "CPU", config), shape)
        self._plan: list[Dispatch] = []

    def one_by_one(self, texts: Sequences, seconds: float) -> float:
        return self.batches(([ids] for ids in itertools.cycle(texts)), seconds)

    def batches(self, batches: Iterator[Sequences], seconds: float) -> float:
        """Padded to the longest; the time of padding is not counted."""
        done, busy = 0, 0.0
        while busy < seconds:
            batch = next(batches)
            busy += self.infer(batch)
            done += len(batch)
        return done / busy

    def infer(self, batch: Sequences) -> float:
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(batch):
            ids[row, : len(text)], mask[row, : len(text)] = text, 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        start = time.perf_counter()
        self._dynamic.start_async(feed)
        self._dynamic.wait()
        return time.perf_counter() - start

    def packed(self, texts: Sequences, seconds: float) -> float:
        """Full rows packed from all the texts at once; packing is not counted."""
        shape = self._request.shape
        if not self._plan:
            table = ShapeTable([shape])
            for i in range(0, len(texts), 500):
                part = plan([len(t) for t in texts[i : i + 500]], table)
                rows = [tuple(tuple(i + j for j in row) for row in d.rows) for d in part]
                self._plan += [Dispatch(shape, r) for r in rows if len(r) == shape.rows]
            random.Random(3).shuffle(self._plan)
        done, busy = 0, 0.0
        for dispatch in itertools.cycle(self._plan):
            self._request.fill([[texts[i] for i in row] for row in dispatch.rows])
            start = time.perf_counter()
            self._request.start()
            self._request.wait()
            busy += time.perf_counter() - start
            done += sum(map(len, dispatch.rows))
            if busy > seconds:
                break
        return done / busy


def in_flight(engine: Engine, texts: Sequences, clients: int, size: int, seconds: float) -> float:
    """So many clients, each with one request of `size` texts at a time."""
    source = itertools.cycle(texts)
    end = time.perf_counter() + seconds
    done = 0

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await engine.submit_async(list(itertools.islice(source, size)))
            done += size

    async def all_clients() -> None:
        await asyncio.gather(*(client() for _ in range(clients)))

    start = time.perf_counter()
    asyncio.run(all_clients())
    return done / (time.perf_counter() - start)


def measure(ways: dict[str, Way], rounds: int, seconds: float) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(0.3)
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(way(seconds))
    return rates


def report(ways: dict[str, Way], rates: dict[str, list[float]]) -> None:
    bases = ("raw, a text an inference", "raw, packed rows", "raw, 256 tokens, batches of 32")
    known = [base for base in bases if base in rates]
    print(f"\n{'':34}{'texts/s':>9}" + "".join(f"{'/ ' + base[5:]:>29}" for base in known))
    for name in ways:
        ratios = [statistics.median(ratio(rates[name], rates[base])) for base in known]
        print(
            f"{name:34}{statistics.median(rates[name]):9,.0f}"
            + "".join(f"{value:29.2f}" for value in ratios)
        )


def ratio(a: Sequence[float], b: Sequence[float]) -> list[float]:
    return [x / y for x, y in zip(a, b, strict=True)]


def latency(engine: Engine, raw: Raw, texts: Sequences, rounds: int) -> None:
    """One client, one text at a time: through the engine, and raw with the shape seen before."""
    raw_ms, engine_ms = [], []

    async def through_engine(sample: Sequences) -> None:
        for ids in sample:
            start = time.perf_counter()
            await engine.submit_async([ids])
            engine_ms.append((time.perf_counter() - start) * 1e3)

    for i in range(rounds):
        sample = texts[i * 60 : (i + 1) * 60]
        raw_ms += [raw.infer([ids]) * 1e3 for ids in sample]
        asyncio.run(through_engine(sample))
    print(
        f"\nalone, p50: raw {statistics.median(raw_ms):.2f} ms,"
        f" engine {statistics.median(engine_ms):.2f} ms"
    )


if __name__ == "__main__":
    main()
