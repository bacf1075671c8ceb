"""What came of a run: counts, latencies, and the lines that tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calcgraph.tools.bench.backends import counted_tokens
from calcgraph.tools.bench.load import Outcome


@dataclass(slots=True)
class Tally:
    """Adds up outcomes. Only what succeeded counts for throughput and latency."""

    latencies: list[float] = field(default_factory=list)
    """In seconds."""
    documents: int = 0
    tokens: int = 0
    tokens_known: bool = True
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        if not outcome.ok:
            self.failures[outcome.error] += 1
            return
        request = outcome.request
        self.latencies.append(outcome.latency)
        self.documents += request.documents
        tokens = counted_tokens(outcome.body) if request.tokens is None else request.tokens
        if tokens is None:
            self.tokens_known = False
        else:
            self.tokens += tokens

    @property
    def succeeded(self) -> int:
        return len(self.latencies)

    @property
    def requests(self) -> int:
        return self.succeeded + self.failures.total()


def percentile(latencies: list[float], percent: float) -> float:
    """In milliseconds."""
    return float(np.percentile(latencies, percent)) * 1e3


def summary(tally: Tally, seconds: float, cpu_seconds: float) -> dict[str, Any]:
    """The figures of a run, by name, for machines. Without a success there are no latencies."""
    figures: dict[str, Any] = {
        "requests": tally.requests,
        "succeeded": tally.succeeded,
        "documents": tally.documents,
        "tokens": tally.tokens if tally.tokens_known else None,
        "seconds": seconds,
        "documents_per_second": tally.documents / seconds,
        "tokens_per_second": tally.tokens / seconds if tally.tokens_known else None,
        "generator_cpu": cpu_seconds / seconds,
        "failures": dict(tally.failures),
    }
    if tally.latencies:
        figures["mean_ms"] = float(np.mean(tally.latencies)) * 1e3
        for percent in (50, 95, 99):
            figures[f"p{percent}_ms"] = percentile(tally.latencies, percent)
    return figures


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """The figures as OVMS's benchmark prints them, and then what it leaves out."""
    known = figures["tokens"] is not None
    good, all_ = figures["succeeded"], figures["requests"]
    yield f"Tokens: {figures['tokens'] if known else 'unknown'}"
    yield f"Success rate: {round(100 * good / max(1, all_), 2)}%. ({good}/{all_})"
    if known:
        yield f"Throughput - Tokens per second: {figures['tokens_per_second']:,.1f}"
    if good:
        yield f"Mean latency: {figures['mean_ms']:.2f} ms"
        yield f"Median latency: {figures['p50_ms']:.2f} ms"
    if known and good:
        yield f"Average document length: {round(figures['tokens'] / figures['documents'], 2)} tokens"
    yield f"Throughput - Documents per second: {figures['documents_per_second']:,.1f}"
    if good:
        yield f"p95 latency: {figures['p95_ms']:.2f} ms"
        yield f"p99 latency: {figures['p99_ms']:.2f} ms"
    yield f"Load generator: {figures['generator_cpu']:.0%} of a core"
    for message, times in Counter(figures["failures"]).most_common(5):
        yield f"Failed {times} times: {message}"
