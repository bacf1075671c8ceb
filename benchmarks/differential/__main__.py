"""Compare calcgraph with MediaPipe on random graphs: `python -m benchmarks.differential --cases 500`.

Prints each difference, shrunk. Exit status 1 when there is one that explained.py does not explain.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.differential.case import Case, Outcome, differ
from benchmarks.differential.explained import explanation
from benchmarks.differential.generate import random_case
from benchmarks.differential.mediapipe_process import MediaPipe, environment
from benchmarks.differential.play_calcgraph import play
from benchmarks.differential.shrink import shrink

BUILD = Path(__file__).parents[2] / "build" / "mediapipe"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="of the first case; the others follow")
    parser.add_argument("--environment", type=Path, default=BUILD)
    arguments = parser.parse_args()
    explained: Counter[str] = Counter()
    unexplained = 0
    with MediaPipe(environment(arguments.environment)) as mediapipe:
        for seed in range(arguments.seed, arguments.seed + arguments.cases):
            case = random_case(seed)
            theirs = mediapipe.play(case)
            ours = play(case)
            if not differ(case, ours, theirs):
                continue
            if why := explanation(case, ours, theirs):
                explained[why] += 1
                continue
            unexplained += 1
            small = shrink(case, _differs_without_explanation(mediapipe))
            show(seed, small, play(small), mediapipe.play(small))
    for why, count in explained.items():
        print(f"{count} times: {why}")
    print(f"{arguments.cases} cases, {unexplained} differences without an explanation")
    return 1 if unexplained else 0


def _differs_without_explanation(mediapipe: MediaPipe) -> Callable[[Case], bool]:
    def differs(case: Case) -> bool:
        ours, theirs = play(case), mediapipe.play(case)
        return differ(case, ours, theirs) and not explanation(case, ours, theirs)

    return differs


def show(seed: int, case: Case, ours: Outcome, theirs: Outcome) -> None:
    print(f"--- seed {seed} ({'stepwise' if case.stepwise else 'at once'})")
    print(case.graph)
    for step in case.steps:
        print("  ", *step)
    print("calcgraph:", ours)
    print("MediaPipe:", theirs)
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
