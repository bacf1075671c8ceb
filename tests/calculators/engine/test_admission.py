"""Who may join the queue: told from what waits and how fast it goes."""

import math

import numpy as np
import pytest
from hand_clock import Clock

from calcgraph.calculators.engine.admission import (
    BULK_TOKENS,
    BYTES_PER_TOKEN,
    UNMEASURED_TOKENS,
    Admission,
)
from calcgraph.calculators.engine.pace import BATCHES, FORGOTTEN_S, Pace
from calcgraph.calculators.engine.queue import Job, Lane
from calcgraph.calculators.engine.schedule import Schedule
from calcgraph.calculators.engine.shapes import packed_table
from calcgraph.runtime.errors import Code
from calcgraph.runtime.terms import Overloaded, Terms, retry_after

RATE = 500.0


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(packed_table(128, 1024, 128), budget=1000, bulk_budget=64)


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


@pytest.fixture
def admission(schedule: Schedule, pace: Pace) -> Admission:
    """Of an engine that does RATE tokens a second."""
    pace.delivered(int(RATE), started=0.0, now=1.0, busy=True)
    return Admission(schedule, pace)


def wait_for_turn(schedule: Schedule, lane: Lane, tokens: int) -> None:
    schedule.put(Job([np.zeros(100, np.int64)] * (tokens // 100), lane, None), now=0.0)


def test_an_empty_queue_takes_everybody(admission: Admission) -> None:
    for lane in Lane:
        assert admission.wait_s(lane) == 0
        admission.check(lane, Terms(wait_s=0, bulk_wait_s=0))


def test_the_wait_is_what_is_ahead_at_the_pace_of_the_engine(
    admission: Admission, schedule: Schedule
) -> None:
    wait_for_turn(schedule, Lane.INTERACTIVE, 1500)
    assert admission.wait_s(Lane.INTERACTIVE) == pytest.approx(3.0)
    assert admission.wait_s(Lane.BULK) == pytest.approx(3.0)
    wait_for_turn(schedule, Lane.BULK, 10_000)
    assert admission.wait_s(Lane.BULK) == pytest.approx(23.0)
    assert admission.wait_s(Lane.INTERACTIVE) == pytest.approx(4.0)  # bulk is owed a third


def test_who_would_wait_too_long_is_told_when_to_come_back(
    admission: Admission, schedule: Schedule
) -> None:
    wait_for_turn(schedule, Lane.INTERACTIVE, 1500)
    admission.check(Lane.INTERACTIVE, Terms(wait_s=3.1))
    with pytest.raises(Overloaded) as error:
        admission.check(Lane.INTERACTIVE, Terms(wait_s=2.9))
    assert error.value.code is Code.RESOURCE_EXHAUSTED
    assert error.value.retry_after == 3
    assert "would wait 3.0 s" in str(error.value)


def test_each_lane_has_a_limit_of_its_own(admission: Admission, schedule: Schedule) -> None:
    wait_for_turn(schedule, Lane.INTERACTIVE, 1500)
    terms = Terms(wait_s=1, bulk_wait_s=100)
    admission.check(Lane.BULK, terms)
    with pytest.raises(Overloaded):
        admission.check(Lane.INTERACTIVE, terms)


def test_the_lane_is_guessed_from_the_bytes_before_the_tokens_are_counted(
    admission: Admission, schedule: Schedule
) -> None:
    wait_for_turn(schedule, Lane.INTERACTIVE, 1500)
    admission.check_early(
        Terms(wait_s=1, bulk_wait_s=100, size=(BULK_TOKENS + 1) * BYTES_PER_TOKEN)
    )
    with pytest.raises(Overloaded):
        admission.check_early(Terms(wait_s=1, bulk_wait_s=100, size=BULK_TOKENS * BYTES_PER_TOKEN))


def test_as_long_as_the_pace_is_unknown_some_batches_may_wait(schedule: Schedule) -> None:
    admission = Admission(schedule, Pace())
    wait_for_turn(schedule, Lane.BULK, UNMEASURED_TOKENS)
    admission.check(Lane.BULK, Terms(bulk_wait_s=0))
    wait_for_turn(schedule, Lane.BULK, 100)
    with pytest.raises(Overloaded) as error:
        admission.check(Lane.BULK, Terms(bulk_wait_s=1e9))
    assert error.value.retry_after == 60


def test_the_pace_is_that_of_full_batches_one_after_the_other(pace: Pace) -> None:
    pace.delivered(10, started=0.0, now=1.0, busy=False)
    assert pace.rate is None
    pace.delivered(800, started=1.0, now=2.0, busy=True)
    assert pace.rate == pytest.approx(800)
    # It was started while the one before it ran: only the time since counts.
    pace.delivered(800, started=1.5, now=3.0, busy=True)
    assert pace.rate == pytest.approx(800)


def test_the_pace_of_now_soon_counts_alone(pace: Pace) -> None:
    pace.delivered(1000, started=0.0, now=1.0, busy=True)
    for second in range(1, BATCHES + 1):
        pace.delivered(100, started=float(second), now=second + 1.0, busy=True)
    assert pace.rate == pytest.approx(100)


def test_a_process_that_was_suspended_is_not_slow_from_then_on(pace: Pace) -> None:
    pace.delivered(800, started=0.0, now=1.0, busy=True)
    pace.delivered(800, started=1.0, now=121.0, busy=True)
    assert pace.rate == pytest.approx(800)
    pace.delivered(800, started=121.0, now=122.0, busy=True)
    assert pace.rate == pytest.approx(800)


def test_a_pace_that_nothing_confirms_is_forgotten(pace: Pace, clock: Clock) -> None:
    """Or an engine that was slow once would refuse what could show that it no longer is."""
    pace.delivered(1, started=0.0, now=100.0, busy=True)
    clock.now = 100.0 + FORGOTTEN_S
    assert pace.rate == pytest.approx(0.01)
    clock.now += 1.0
    assert pace.rate is None


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, 1), (0.2, 1), (1.0, 1), (1.2, 2), (59.5, 60), (math.inf, 60)]
)
def test_retry_after_is_a_whole_number_that_clients_obey(seconds: float, told: int) -> None:
    assert retry_after(seconds) == told
