"""The measured figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.serving.load import median
from benchmarks.serving.sample import Sample

Rounds = Sequence[Sample]
ONE_BY_ONE = "raw, one text an inference"
PACKED = "raw, packed rows"
BASES = {ONE_BY_ONE: "/ one by one", PACKED: "/ packed"}


def table(results: Mapping[str, Rounds]) -> Iterator[str]:
    """One workload: medians over the rounds, and medians of the ratios within each round.

    `others` are cores that somebody else used meanwhile.
    """
    bases = [base for base in BASES if base in results]
    heads = [
        "",
        "texts/s",
        *(BASES[b] for b in bases),
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU us/text",
        "others",
    ]
    yield _row(heads)
    yield _row(["---", *["---:"] * (len(heads) - 1)])
    for name, rounds in results.items():
        ratios = [f"{ratio(rounds, results[base]):.2f}" for base in bases]
        times = [_number(median(rounds, p), 2) for p in ("p50", "p95", "p99")]
        rate = f"{median(rounds, 'texts_per_second'):,.0f}"
        cpu, others = _number(median(rounds, "cpu_us"), 0), f"{median(rounds, 'others'):.2f}"
        yield _row([name, rate, *ratios, *times, cpu, others])


def bulk_table(results: Mapping[str, Sequence[tuple[Sample, Sample]]]) -> Iterator[str]:
    yield _row(["", "p50 alone", "p95 alone", "p50 beside bulk", "p95 beside bulk", "p95 ratio"])
    yield _row(["---", *["---:"] * 5])
    for name, pairs in results.items():
        alone, busy = [a for a, _ in pairs], [b for _, b in pairs]
        ratios = [b.p95 / a.p95 for a, b in pairs]
        figures = [median(s, p) for s in (alone, busy) for p in ("p50", "p95")]
        yield _row([name, *(f"{f:.1f}" for f in figures), f"{np.median(ratios):.1f}"])


def curve_table(what: str, results: Mapping[str, Mapping[int, Rounds]]) -> Iterator[str]:
    """Texts a second against `what`."""
    points = sorted({x for curve in results.values() for x in curve})
    yield _row([what, *map(str, points)])
    yield _row(["---", *["---:"] * len(points)])
    for name, curve in results.items():
        cells = [
            f"{median(curve[x], 'texts_per_second'):,.0f}" if x in curve else "" for x in points
        ]
        yield _row([name, *cells])


def ratio(a: Rounds, b: Rounds) -> float:
    """Of the rates, within each round; the median."""
    pairs = zip(a, b, strict=True)
    return float(np.median([x.texts_per_second / y.texts_per_second for x, y in pairs]))


def _number(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:,.{digits}f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
