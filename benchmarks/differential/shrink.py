"""From a case in which two runtimes differ to a small one in which they still do."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.differential.case import Case, without

PIECES = ("nodes", "steps", "observed", "observed_side_packets", "side_packets", "inputs")


def shrink(case: Case, differs: Callable[[Case], bool]) -> Case:
    """Leave out whatever can be left out, until nothing can."""
    smaller = True
    while smaller:
        smaller = False
        for what in PIECES:
            index = 0
            while index < len(getattr(case, what)):
                candidate = without(case, what, index)
                if makes_sense(candidate) and differs(candidate):
                    case, smaller = candidate, True
                else:
                    index += 1
    return case


def makes_sense(case: Case) -> bool:
    """MediaPipe aborts on a packet for a stream that is not there."""
    return all(stream in case.inputs for _, stream, *_ in case.steps)
