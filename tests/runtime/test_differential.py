"""Random graphs give the same packets, bounds and errors as in MediaPipe 0.10.21."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("benchmarks.differential.case", reason="run from the root: python -m pytest")

from benchmarks.differential.case import Case, Outcome, differ
from benchmarks.differential.explained import explanation
from benchmarks.differential.generate import random_case
from benchmarks.differential.mediapipe_process import MediaPipe, environment
from benchmarks.differential.play_calcgraph import play
from benchmarks.differential.shrink import shrink

ENVIRONMENT = Path(__file__).parents[2] / "build" / "mediapipe"
BATCH = 100
BATCHES = range(0, 1000, BATCH)

GATE = 'node { calculator: "GateCalculator" input_stream: "in" input_stream: "ALLOW:on" output_stream: "out" }'
PASS = 'node { calculator: "PassThroughCalculator" input_stream: "out" output_stream: "out2" }'
CASE = Case(
    nodes=(GATE, PASS),
    inputs=("in", "on"),
    observed=("out", "out2"),
    steps=(
        ("add", "in", 1, "int", 5),
        ("add", "on", 1, "bool", True),
        ("bound", "on", 4),
        ("add", "in", 3, "int", 6),
    ),
)


@pytest.fixture(scope="module")
def mediapipe() -> Iterator[MediaPipe]:
    try:
        python = environment(ENVIRONMENT)
    except subprocess.CalledProcessError:
        pytest.skip("MediaPipe cannot be installed: there is no package index here")
    with MediaPipe(python) as process:
        yield process


@pytest.mark.slow
@pytest.mark.parametrize("first", BATCHES)
def test_random_graphs_do_what_they_do_in_mediapipe(mediapipe, first):
    unexplained = []
    for seed in range(first, first + BATCH):
        case = random_case(seed)
        ours, theirs = play(case), mediapipe.play(case)
        if differ(case, ours, theirs) and not explanation(case, ours, theirs):
            unexplained.append(seed)
    assert not unexplained, (
        f"see `python -m benchmarks.differential --seed {unexplained[0]} --cases 1`"
    )


@pytest.mark.slow
def test_few_differences_need_an_explanation(mediapipe):
    """The explanations must not swallow what should be mended."""
    needed = 0
    for seed in range(300):
        case = random_case(seed)
        needed += differ(case, play(case), mediapipe.play(case))
    assert needed <= 15


def test_what_was_seen_is_told_step_by_step():
    outcome = play(CASE)
    assert outcome.steps == [{}, {"out": [(1, 5)], "out2": [(1, 5)]}, {}, {}, {}, {}, {}]
    assert outcome.settled[3] == {"out": 3, "out2": 3}
    assert (outcome.error, outcome.failed_at) == ("", -1)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": []},
        {"settled": []},
        {"error": "ValueError", "code": "INVALID_ARGUMENT", "failed_at": 2},
        {"refused": "ValueError"},
        {"crashed": "died"},
        {"side_packets": {"a": 1}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_difference_is_seen(change):
    outcome = play(CASE)
    assert not differ(CASE, outcome, Outcome.from_json(outcome.to_json()))
    assert differ(CASE, outcome, replace(outcome, **change))


def test_true_is_not_one():
    one, true = (Outcome(steps=[{"out": [(0, value)]}], settled=[{}]) for value in (1, True))
    assert differ(CASE, one, true)


def test_random_graphs_are_the_same_for_the_same_seed_and_mostly_run():
    cases = [random_case(seed) for seed in range(60)]
    assert cases == [random_case(seed) for seed in range(60)]
    assert sum(bool(play(case).refused) for case in cases) <= 20


def test_a_case_is_shrunk_to_what_matters():
    def gate_lets_five_through(case: Case) -> bool:
        return any((1, 5) in seen.get("out", []) for seen in play(case).steps)

    small = shrink(CASE, gate_lets_five_through)
    assert small.nodes == (GATE,)
    assert small.observed == ("out",)
    assert small.steps == CASE.steps[:2]
