"""OpenVINO alone, in this process: what a server without any cost of its own would reach."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from benchmarks.engine import SHORT_ROWS, Raw, Sequences, sorted_batches
from benchmarks.serving.sample import Sample, Stopwatch
from calcgraph.calculators.engine.shapes import Shape

LONG_ROWS = Shape(256, 4, 64)

Way = Callable[[float], Sample]
"""Runs for about so many seconds."""


class RawWays:
    """The schedules of one workload's texts, tokenized beforehand. Filling tensors is not counted."""

    def __init__(self, model: Path, tokenizer: Tokenizer, texts: Sequence[str]) -> None:
        self._ids = [np.array(e.ids) for e in tokenizer.encode_batch_fast(list(texts))]
        longest = max(map(len, self._ids))
        self._raw = Raw(model, SHORT_ROWS if longest <= SHORT_ROWS.length else LONG_ROWS)
        self._texts = itertools.cycle(self._ids)
        self.ways: dict[str, Way] = {"raw, one text an inference": self.one_by_one}
        if len(self._ids) > 1:
            self._batches = sorted_batches(self._ids)
            self.ways |= {
                "raw, sorted batches of 32": self.batches,
                "raw, packed rows": self.packed,
            }

    def one_by_one(self, seconds: float) -> Sample:
        return self._timed(([ids] for ids in self._texts), seconds)

    def batches(self, seconds: float) -> Sample:
        return self._timed(self._batches, seconds)

    def packed(self, seconds: float) -> Sample:
        watch = Stopwatch()
        rate = self._raw.packed(self._ids, seconds)
        return replace(watch.sample(round(rate * seconds), []), texts_per_second=rate)

    def _timed(self, batches: Iterator[Sequences], seconds: float) -> Sample:
        watch = Stopwatch()
        latencies, done = [], 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            batch = next(batches)
            latencies.append(self._raw.infer(batch))
            done += len(batch)
        return replace(watch.sample(done, latencies), texts_per_second=done / sum(latencies))
