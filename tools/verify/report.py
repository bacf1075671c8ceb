"""The table of verdicts, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from calcgraph.tools.verify.checks import Verdict

_MARKS = {True: "PASS", False: "FAIL", None: "SKIP"}


def report(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A line a check, what to do below each that failed, and a line for all."""
    width = max(len(verdict.check) for verdict in verdicts)
    for verdict in verdicts:
        first, *more = verdict.evidence.strip().splitlines() or [""]
        yield f"[{_MARKS[verdict.passed]}] {verdict.check:<{width}}  {first}"
        for line in more:
            yield f"{'':{width + 9}}{line}"
        if verdict.passed is False and verdict.advice:
            yield f"{'':{width + 9}}-> {verdict.advice}"
    failed = [verdict.check for verdict in verdicts if verdict.passed is False]
    passed = sum(verdict.passed is True for verdict in verdicts)
    if failed:
        yield f"[FAILED] {', '.join(failed)}"
    else:
        yield f"[SUCCESS] {passed} checks passed, {len(verdicts) - passed} could not be made"
