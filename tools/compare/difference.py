"""How far served vectors are from the ones they should be, as OVMS's compare_results.py counts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from calcgraph.runtime.errors import Code, status_error
from calcgraph.tools.compare.endpoint import Vectors

SCORE_LIMIT: Final = 0.06
"""OVMS's limit on the difference score."""
NUMBER_LIMIT: Final = 0.01
"""OVMS's limit on the difference of each number."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one text's two vectors."""

    score: float
    """The length of their difference."""
    cosine: float
    largest: float
    """Of the differences of single numbers."""

    def passes(self, limit: float = SCORE_LIMIT) -> bool:
        """NaN passes nothing."""
        return self.score < limit and self.largest <= NUMBER_LIMIT


def differences(served: Vectors, reference: Vectors) -> Sequence[Difference]:
    """One for each row. Raises StatusError when the two do not have the same shape."""
    if served.shape != reference.shape:
        raise status_error(
            Code.FAILED_PRECONDITION,
            f"the server gives vectors of {served.shape[1]} numbers, the reference of {reference.shape[1]}"
            if len(served) == len(reference)
            else f"the server gives {len(served)} vectors, the reference {len(reference)}",
        )
    return [_difference(*pair) for pair in zip(served, reference, strict=True)]


def _difference(a: Vectors, b: Vectors) -> Difference:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return Difference(
        score=float(np.linalg.norm(a - b)),
        cosine=float(a @ b) / lengths if lengths else float("nan"),
        largest=float(np.abs(a - b).max()),
    )


def report(texts: Sequence[str], found: Sequence[Difference], limit: float) -> Iterator[str]:
    """A line a text, and one for all."""
    for text, one in zip(texts, found, strict=True):
        verdict = "PASS" if one.passes(limit) else "FAIL"
        shown = text if len(text) <= 50 else f"{text[:47]}..."
        yield (
            f"[{verdict}] difference score {one.score:.6f}, cosine {one.cosine:.6f}, "
            f"largest {one.largest:.6f}: {shown!r}"
        )
    failed = sum(not one.passes(limit) for one in found)
    worst = max((one.score for one in found), default=0.0)
    yield (
        f"{'[FAILED]' if failed else '[SUCCESS]'} {len(found) - failed} of {len(found)} within "
        f"{limit} (and every number within {NUMBER_LIMIT}); largest difference score {worst:.6f}"
    )
