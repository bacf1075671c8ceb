"""What a node counts or measures while it serves: numbers for whoever watches the server."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SECONDS: Final = tuple(
    round(scale * digit, 7)
    for scale in (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
    for digit in (1.0, 2.5, 5.0)
)
"""Bounds for how long something took: 0.1 ms, as a text's tokens may take, to 50 s."""


class Distribution:
    """How often values fell into each bucket. Added to by one thread at a time, read from any."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        """`bounds` are the buckets' upper ends, ascending; one without an end follows."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def merge(self, other: Distribution) -> None:
        """Add all that another one of the same bounds holds."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number now, or a distribution. The same name may come several times with different labels."""

    name: str
    """In Prometheus' manner, units at the end: `engine_inference_seconds`."""
    value: float | Distribution
    help: str
    """One sentence for who reads the metrics."""
    total: bool = False
    """A number that only grows: a counter, and no gauge."""
    labels: Mapping[str, str] = field(default_factory=dict)
