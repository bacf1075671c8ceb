"""This server beside OpenVINO alone, Infinity and sentence-transformers, interleaved in one run.

    python -m benchmarks.serving [--rounds 5] [--seconds 1.5] [--only WORD] [--skip-peers] [--curves]

All servers are started first and stand still (SIGSTOP) but for the one whose turn it is; every round
runs every contestant on every workload, so that a noisy quarter of an hour strikes all of them. Before
each turn it waits for a quiet moment, and a turn that others disturbed is taken once more. The load
generator shares the cores with the server. Ratios are taken within a round. Peers get environments of their own in build/peers. Prints Markdown;
--docs writes it there too (figures.md), with the plots and every sample (samples.json).
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import uvloop
from tokenizers import Tokenizer

from benchmarks.serving.load import Contestant, Workload, beside_bulk, measure
from benchmarks.serving.plots import plot
from benchmarks.serving.raw import RawWays, Way
from benchmarks.serving.sample import Sample, others_now
from benchmarks.serving.servers import (
    MODEL,
    ROOT,
    Server,
    start_infinity,
    start_ours,
    start_sentence_transformers,
)
from benchmarks.serving.tables import bulk_table, curve_table, table
from benchmarks.serving.texts import SPECIAL_TOKENS, Words, banking

TEXTS = ROOT.parent / "shared" / "data" / "banking77" / "train.csv"
LOGS = ROOT / "build" / "benchmarks"
MAX_TOKENS = 256
CONCURRENCY = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LENGTHS = (4, 8, 16, 32, 64, 128, 256)
BULK = "a single text beside a job of 10,000, 20 requests a second"
BULK_SECONDS = 2.0
QUIET = 0.25
"""Cores that others may use during a turn."""
ATTEMPTS = 2
PROTOCOLS = {"openai": "REST", "kserve-grpc": "gRPC"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=Path, default=TEXTS, help="CSV file with a column `text`")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each way in each round")
    parser.add_argument("--only", default="", help="workloads with this in their name")
    parser.add_argument("--skip-peers", action="store_true")
    parser.add_argument("--infinity-dtypes", nargs="*", default=["bfloat16"])
    parser.add_argument("--curves", action="store_true", help="against concurrency and length")
    parser.add_argument("--curve-rounds", type=int, default=2)
    parser.add_argument("--curve-seconds", type=float, default=1.0)
    parser.add_argument("--patience", type=float, default=2.0, help="seconds to wait for quiet")
    parser.add_argument("--docs", type=Path, help="folder for plots and figures")
    args = parser.parse_args()
    if args.docs:
        args.docs.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers are to be stopped too
    uvloop.run(compare(args))


async def compare(args: argparse.Namespace) -> None:
    model = ROOT / "models" / MODEL
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    texts = banking(args.texts)
    words = Words(texts, tokenizer)
    with ExitStack() as stack:
        contestants = list(_contestants(stack, args))
        report = Report(args, contestants, model, tokenizer)
        report.write(_headline(contestants))
        for contestant in contestants:
            with _turn(contestant):
                for clients, batch in ((64, 1), (8, 32), (1, 1)):
                    await measure(contestant, Workload("warm-up", texts, batch, clients), 1.0)
        for workload in _workloads(texts, words):
            if args.only in workload.name:
                await report.workload(workload)
        if args.only in BULK:
            await report.bulk(texts)
        if args.curves:
            await report.curves(texts, words)


def _workloads(texts: Sequence[str], words: Words) -> Iterator[Workload]:
    yield Workload("single texts, 64 connections", texts, 1, 64)
    yield Workload("requests of 32 texts, 8 connections", texts, 32, 8)
    yield Workload("one client, one text at a time", texts, 1, 1)
    mixed = words.mixed(2000, 8, MAX_TOKENS)
    yield Workload("8 to 256 tokens, requests of 8 texts, 8 connections", mixed, 8, 8)
    longest = [words.text(MAX_TOKENS) for _ in range(256)]
    yield Workload("all of 256 tokens, requests of 8 texts, 8 connections", longest, 8, 8)
    yield Workload("5 synthetic tokens, 10 requests a second", ["hi " * 5], 1, 1, rate=10.0)
    longest_hi = ["hi " * (MAX_TOKENS - SPECIAL_TOKENS)] * 32
    yield Workload("256 synthetic tokens, requests of 32 texts, 2 connections", longest_hi, 32, 2)
    yield Workload("one real text a request, 100 at a time", texts, 1, 100)


def _contestants(stack: ExitStack, args: argparse.Namespace) -> Iterator[Contestant]:
    servers = [start_ours(LOGS)]
    stack.callback(servers[0].stop)
    if not args.skip_peers:
        starts = [lambda d=dtype: start_infinity(LOGS, d) for dtype in args.infinity_dtypes]
        for start in (*starts, lambda: start_sentence_transformers(LOGS)):
            servers[-1].pause()
            servers.append(start())
            stack.callback(servers[-1].stop)
    for server in servers:
        server.pause()
        for backend in server.urls:
            name = f"{server.name} {PROTOCOLS[backend]}" if len(server.urls) > 1 else server.name
            yield Contestant(name, server, backend)


def _headline(contestants: Sequence[Contestant]) -> Iterator[str]:
    servers: dict[str, Server] = {c.server.name: c.server for c in contestants}
    versions = {name: v for server in servers.values() for name, v in server.versions.items()}
    with open("/proc/cpuinfo") as file:
        cpu = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
        file.seek(0)
        flags = next(line for line in file if line.startswith("flags")).split()
        fast = [flag for flag in ("amx_bf16", "avx512_bf16", "avx512_vnni") if flag in flags]
    yield f"{cpu} ({', '.join(fast)}), Python {platform.python_version()}, " + ", ".join(
        f"{name} {version}" for name, version in versions.items()
    )


class Report:
    """Measures in rounds, prints as it goes and keeps the figures."""

    def __init__(
        self,
        args: argparse.Namespace,
        contestants: Sequence[Contestant],
        model: Path,
        tokenizer: Tokenizer,
    ) -> None:
        self._args = args
        self._contestants = contestants
        self._model = model
        self._tokenizer = tokenizer
        self._lines: list[str] = []
        self.figures: dict[str, object] = {}

    async def workload(self, workload: Workload) -> None:
        results: dict[str, list[Sample]] = {}
        raw = RawWays(self._model, self._tokenizer, workload.texts[:4000])
        for _ in range(self._args.rounds):
            for name, way in raw.ways.items():
                sample = await self._quietly(_here(way, self._args.seconds))
                results.setdefault(name, []).append(sample)
            for contestant in self._contestants:
                sample = await self._quietly(_turn_of(contestant, workload, self._args.seconds))
                results.setdefault(contestant.name, []).append(sample)
        self.write([f"\n### {workload.name}\n", *table(results), *_noise(results.values())])
        self._keep(workload.name, results)
        del raw
        gc.collect()

    async def bulk(self, texts: Sequence[str]) -> None:
        results: dict[str, list[tuple[Sample, Sample]]] = {}
        for _ in range(self._args.rounds):
            for contestant in self._contestants:
                with _turn(contestant):
                    pair = await beside_bulk(contestant, texts, BULK_SECONDS)
                results.setdefault(contestant.name, []).append(pair)
        noise = _noise([[busy for _, busy in pairs] for pairs in results.values()])
        self.write([f"\n### {BULK}\n", *bulk_table(results), *noise])
        self._keep("bulk", {n: [busy for _, busy in pairs] for n, pairs in results.items()})
        self._keep(
            "bulk, alone", {n: [alone for alone, _ in pairs] for n, pairs in results.items()}
        )

    async def curves(self, texts: Sequence[str], words: Words) -> None:
        concurrency = [Workload(str(n), texts, 1, n) for n in CONCURRENCY]
        await self._curve("concurrency", "clients, one text a request", concurrency)
        of_length = {n: [words.text(n) for _ in range(256)] for n in LENGTHS}
        lengths = [Workload(str(n), of_length[n], 8, 8) for n in LENGTHS]
        await self._curve("length", "tokens a text, 8 clients, 8 texts a request", lengths)

    async def _curve(self, name: str, along: str, points: Sequence[Workload]) -> None:
        results: dict[str, dict[int, list[Sample]]] = {}
        seconds = self._args.curve_seconds
        for _ in range(self._args.curve_rounds):
            for workload in points:
                for contestant in self._contestants:
                    sample = await self._quietly(_turn_of(contestant, workload, seconds))
                    curve = results.setdefault(contestant.name, {})
                    curve.setdefault(int(workload.name), []).append(sample)
        samples = [s for curve in results.values() for s in curve.values()]
        heading = f"\n### {along}\n"
        self.write([heading, *curve_table(along, results), *_noise(samples)])
        for x in (int(workload.name) for workload in points):
            self._keep(f"{name} {x}", {n: curve[x] for n, curve in results.items()})
        if self._args.docs:
            note = f"all-MiniLM-L6-v2 on 2 cores, load generator included; {along}"
            plot(results, along, note, self._args.docs / f"{name}.png")

    async def _quietly(self, take: Callable[[], Awaitable[Sample]]) -> Sample:
        return await _quietly(take, self._args.patience)

    def _keep(self, name: str, results: dict[str, list[Sample]]) -> None:
        self.figures[name] = {who: [asdict(s) for s in rounds] for who, rounds in results.items()}
        if self._args.docs:
            (self._args.docs / "samples.json").write_text(json.dumps(self.figures) + "\n")
            (self._args.docs / "figures.md").write_text("\n".join(self._lines) + "\n")

    def write(self, lines: Iterable[str]) -> None:
        """Print them, and keep them for figures.md."""
        new = list(lines)
        self._lines += new
        print(*new, sep="\n", flush=True)


async def _quietly(take: Callable[[], Awaitable[Sample]], patience: float) -> Sample:
    """The turn that was least disturbed; the first one that was hardly."""
    samples: list[Sample] = []
    for _ in range(ATTEMPTS):
        deadline = time.monotonic() + patience
        while others_now() > QUIET and time.monotonic() < deadline:
            pass
        samples.append(await take())
        if samples[-1].others <= QUIET:
            break
    return min(samples, key=lambda sample: sample.others)


def _turn_of(
    contestant: Contestant, workload: Workload, seconds: float
) -> Callable[[], Awaitable[Sample]]:
    async def take() -> Sample:
        with _turn(contestant):
            return await measure(contestant, workload, seconds)

    return take


def _here(way: Way, seconds: float) -> Callable[[], Awaitable[Sample]]:
    async def take() -> Sample:
        return way(seconds)

    return take


@contextmanager
def _turn(contestant: Contestant) -> Iterator[None]:
    contestant.server.resume()
    try:
        yield
    finally:
        contestant.server.pause()


def _noise(groups: object) -> Iterator[str]:
    """How busy others kept the machine, and requests that failed."""
    samples = [sample for group in groups for sample in group]  # type: ignore[attr-defined]
    others = [sample.others for sample in samples]
    yield ""
    yield f"Others used {np.median(others):.2f} cores in the median, {max(others):.2f} at most."
    if failed := sum(sample.failed for sample in samples):
        yield f"{failed} requests failed."


if __name__ == "__main__":
    main()
