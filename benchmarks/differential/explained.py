"""Differences that are to be: where MediaPipe 0.10.21 itself does not do what it sets out to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from case import Case, Outcome, Step

PRE_STREAM = -(2**63) + 2
POST_STREAM = 2**63 - 3


def _special_time(step: Step) -> bool:
    return step[0] == "add" and step[2] in (PRE_STREAM, POST_STREAM)


def _dies_in_loopback(case: Case, theirs: Outcome) -> bool:
    special = any(map(_special_time, case.steps)) or "STREAM:" in case.graph
    return theirs.crashed == "died" and special and "PreviousLoopbackCalculator" in case.graph


def _forgets_channels(case: Case, theirs: Outcome) -> bool:
    return "async_selection" in case.graph


EXPLANATIONS: Mapping[str, Callable[[Case, Outcome], bool]] = {
    "PreviousLoopbackCalculator adds 1 to the time of a packet of MAIN, and MediaPipe aborts when that "
    "is PreStream or PostStream. Ours passes the bound on.": _dies_in_loopback,
    "SwitchDemuxCalculator means to forget which channel was on before all that is still to be sent, "
    "but forgets all but the latest change; what waits from before a change is then lost. With "
    "async_selection something waits.": _forgets_channels,
}


def explanation(case: Case, theirs: Outcome) -> str:
    """Why the two differ, if it is known; else nothing."""
    return next((why for why, holds in EXPLANATIONS.items() if holds(case, theirs)), "")
