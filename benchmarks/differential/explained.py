"""Differences that are to be: what MediaPipe 0.10.21 does otherwise, and why we do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.differential.case import Case, Outcome, whole
from benchmarks.differential.generate import TWO_IN_FLIGHT

PRE_STREAM = -(2**63) + 2
POST_STREAM = 2**63 - 3

Holds = Callable[[Case, Outcome, Outcome], bool]


def _has_special_times(case: Case) -> bool:
    sent = any(step[0] == "add" and step[2] in (PRE_STREAM, POST_STREAM) for step in case.steps)
    return sent or "AT_PRESTREAM" in case.graph or "AT_POSTSTREAM" in case.graph


def _aborts_on_special_times(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    adds_one = any(name in case.graph for name in ("PreviousLoopback", "EndLoop"))
    return theirs.crashed == "died" and adds_one and _has_special_times(case)


def _aborts_on_long_ago(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    at_min = "PacketSequencer" in case.graph or "SwitchContainer" in case.graph
    return theirs.crashed == "died" and at_min and "in_flight_timeout" in case.graph


def _hangs_after_an_error(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    return theirs.crashed == "hung" and bool(ours.error)


def _forgets_channels(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    return "async_selection" in case.graph and not theirs.crashed


def _lowers_a_bound(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    return TWO_IN_FLIGHT in case.graph and _has_special_times(case)


def _counts_more_errors(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    return ours.failed_at == theirs.failed_at >= 0 and "UNKNOWN" in (ours.code, theirs.code)


def _fills_at_once(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    return "FixedSizeInputStreamHandler" in case.graph and "BeginLoop" in case.graph


def _shows_more_bounds(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    """All packets are the same, but for some that tell of a bound: PRESENCE's False, BATCH_END's time."""
    sees_bounds = "PacketPresence" in case.graph or "BeginLoop" in case.graph
    if not sees_bounds or ours.error or theirs.error:
        return False
    mine, all_of_theirs = whole(ours), whole(theirs)
    return all(_is_part(mine.get(name, []), seen) for name, seen in all_of_theirs.items())


def _is_part(some: Sequence[tuple[int, Any]], more: Sequence[tuple[int, Any]]) -> bool:
    left = [(time, value) for time, value in some]
    for time, value in more:
        if left and left[0] == (time, value):
            left.pop(0)
        elif value is not False and value != "(timestamp)":
            return False
    return not left


def _sees_an_end_coming(case: Case, ours: Outcome, theirs: Outcome) -> bool:
    """Packets and errors are the same; bounds too, up to the first end of a stream."""
    plain = Outcome.from_json(ours.to_json())
    if (plain.steps, ours.error, ours.side_packets) != (
        theirs.steps,
        theirs.error,
        theirs.side_packets,
    ):
        return False
    ends = [number for number, step in enumerate(case.all_steps) if step[0] == "close"]
    # A gate that a side packet closes, and a packet at PreStream, end a stream at any time.
    first = 0 if not ends or "ALLOW:p" in case.graph or _has_special_times(case) else ends[0]
    return ours.settled[:first] == theirs.settled[:first]


EXPLANATIONS: Mapping[str, Holds] = {
    "PreviousLoopbackCalculator and EndLoopCalculator add 1 to a time, and MediaPipe aborts when that is "
    "PreStream or PostStream. Ours go on from the next time a stream can have.": _aborts_on_special_times,
    "FlowLimiterCalculator subtracts Timestamp::Min, where PacketSequencerCalculator puts what comes "
    "before the first tick, and MediaPipe aborts on the overflow.": _aborts_on_long_ago,
    "After an error that meets a graph in full run, MediaPipe's WaitUntilDone hangs now and then (25 "
    "times in 1,500 for one graph). Ours ends with the error.": _hangs_after_an_error,
    "SwitchDemuxCalculator means to forget which channel was on before all that is still to be sent, "
    "but forgets all but the latest change; what waits from before a change is then lost. With "
    "async_selection something waits.": _forgets_channels,
    "With max_in_flight above 1 MediaPipe sets a bound without looking at the one before: after a packet "
    "at PreStream, which ends a stream, it falls, and the run fails.": _lowers_a_bound,
    "MediaPipe lets calls that are queued run on after an error, and combines the codes of all errors to "
    "UNKNOWN when they differ; ours records fewer of them.": _counts_more_errors,
    "MediaPipe adds all that one call wrote to a queue before the reader looks, ours looks after the first "
    "packet: FixedSizeInputStreamHandler then drops one packet less.": _fills_at_once,
    "How many bounds that rise in a row are one call of a node that processes bounds is a matter of "
    "timing in both; on one thread MediaPipe makes more calls.": _shows_more_bounds,
    "When streams end, one after the other as MediaPipe's mirrors see it and together in ours, the last "
    "bounds before the end may be shown or skipped. No packet depends on it.": _sees_an_end_coming,
}


def explanation(case: Case, ours: Outcome, theirs: Outcome) -> str:
    """Why the two differ, if it is known; else nothing."""
    return next((why for why, holds in EXPLANATIONS.items() if holds(case, ours, theirs)), "")
