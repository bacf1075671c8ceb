"""Sorts the outcomes of requests into what was to be expected and what was wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np

from benchmarks.churn.record import Record
from benchmarks.soak import vectors
from calcgraph.tools.bench.load import Outcome

KILL_REACH_S = 3.0
"""A text may be at hand for so long around the death of its engine's thread."""
SAME = 0.9999


class Judge:
    """Takes every outcome; failures are judged in the end, when all is known that was done."""

    def __init__(
        self, record: Record, alone: Mapping[bytes, np.ndarray], bad: Collection[bytes]
    ) -> None:
        self.record = record
        self.kills: list[float] = []
        self._alone = alone
        self._bad = bad
        self._failed: list[Outcome] = []

    def __call__(self, outcome: Outcome) -> None:
        payload = outcome.request.payload
        if payload in self._bad:
            refused = re.match(r"4\d\d ", outcome.error)
            self._count(
                "bad requests refused" if refused else f"bad, but {outcome.error[:60]}", refused
            )
        elif outcome.error.startswith("429 "):
            self._count("refused at once, since it would have waited too long", True)
        elif not outcome.ok:
            self._failed.append(outcome)
        else:
            self.record.latency(outcome.latency)
            cosines = np.einsum("ij,ij->i", vectors(outcome.body), self._alone[payload])
            right = float(cosines.min()) >= SAME
            self._count("answered" if right else "a vector that is not its text's", right)

    def settle(self) -> None:
        """Once it is known when threads were killed: which failures that explains."""
        for outcome in self._failed:
            near = any(
                outcome.due - KILL_REACH_S < at < outcome.done + KILL_REACH_S for at in self.kills
            )
            explained = near and outcome.error.startswith("500 ")
            self._count(
                "at hand when an engine's thread was killed" if explained else outcome.error[:100],
                explained,
            )

    def _count(self, what: str, expected: object) -> None:
        (self.record.outcomes if expected else self.record.failures)[what] += 1
