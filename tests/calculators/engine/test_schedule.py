"""Which dispatch is next, when interactive and bulk texts wait."""

import numpy as np

from calcgraph.calculators.engine.queue import Job, Lane
from calcgraph.calculators.engine.schedule import BULK_SHARE, INTERACTIVE_MEMORY_S, Schedule
from calcgraph.calculators.engine.shapes import packed_table

BUDGET, SMALL = 1024, 64


def schedule() -> Schedule:
    return Schedule(packed_table(256, BUDGET, row=128), budget=BUDGET, bulk_budget=SMALL)


def job(lane: Lane, *lengths: int) -> Job:
    return Job([np.zeros(n, np.int64) for n in lengths], lane, None)


def run(schedule: Schedule, now: float = 0.0) -> tuple[Lane, int] | None:
    """Take the next dispatch: its lane and its tokens, padding included."""
    lane = schedule.lane()
    planned = schedule.next(lane, now) if lane else None
    return (planned.lane, planned.dispatch.shape.tokens) if planned else None


def test_nothing_waits() -> None:
    assert schedule().lane() is None
    assert schedule().next(Lane.BULK, 0.0) is None


def test_bulk_alone_runs_in_full_batches() -> None:
    s = schedule()
    s.put(job(Lane.BULK, *[16] * 200), now=0.0)
    assert run(s) == (Lane.BULK, BUDGET)


def test_interactive_texts_pass_bulk() -> None:
    s = schedule()
    s.put(job(Lane.BULK, *[16] * 200), now=0.0)
    s.put(job(Lane.INTERACTIVE, 16), now=0.0)
    assert s.lane() is Lane.INTERACTIVE
    assert run(s) == (Lane.INTERACTIVE, 16)


def test_bulk_runs_in_small_batches_until_interactive_texts_are_forgotten() -> None:
    s = schedule()
    s.put(job(Lane.BULK, *[16] * 200), now=0.0)
    s.put(job(Lane.INTERACTIVE, 16), now=10.0)
    run(s, now=10.0)
    assert run(s, now=10.0) == (Lane.BULK, SMALL)
    assert run(s, now=10.1 + INTERACTIVE_MEMORY_S) == (Lane.BULK, BUDGET)


def test_bulk_gets_its_share_however_much_interactive_work_there_is() -> None:
    s = schedule()
    s.put(job(Lane.BULK, *[16] * 10_000), now=0.0)
    s.put(job(Lane.INTERACTIVE, *[16] * 10_000), now=0.0)
    tokens = dict.fromkeys(Lane, 0)
    for _ in range(100):
        lane, done = run(s) or (Lane.BULK, 0)
        tokens[lane] += done
    share = tokens[Lane.BULK] / tokens[Lane.INTERACTIVE]
    assert 0.8 * BULK_SHARE < share < 1.2 * BULK_SHARE


def test_a_part_of_a_budget_is_not_settled() -> None:
    s = schedule()
    s.put(job(Lane.INTERACTIVE, *[16] * 10), now=0.0)
    assert not s.settled(Lane.INTERACTIVE, 0.0)
    s.put(job(Lane.INTERACTIVE, *[16] * 60, 200), now=0.0)
    assert s.settled(Lane.INTERACTIVE, 0.0)


def test_bulk_that_interactive_texts_may_pass_is_not_settled() -> None:
    s = schedule()
    s.put(job(Lane.BULK, *[16] * 200), now=0.0)
    assert s.settled(Lane.BULK, 0.0)
    s.put(job(Lane.INTERACTIVE, 16), now=0.0)
    assert not s.settled(Lane.BULK, 0.0)


def test_what_waits_is_shared_by_those_who_are_free() -> None:
    s = schedule()
    s.put(job(Lane.INTERACTIVE, *[16] * 16), now=0.0)
    first = s.next(Lane.INTERACTIVE, 0.0, share=2)
    second = s.next(Lane.INTERACTIVE, 0.0, share=1)
    assert first and second
    assert [len(first.texts), len(second.texts)] == [8, 8]


def test_gaps_are_filled_from_further_back_in_the_queue() -> None:
    s = schedule()
    s.put(job(Lane.INTERACTIVE, 200, 200, 200, 200, 200, 200, 56, 56, 30, 56, 56), now=0.0)
    planned = s.next(Lane.INTERACTIVE, 0.0)
    assert planned
    assert planned.dispatch.shape.tokens == BUDGET
    assert [t.index for t in planned.texts] == [0, 6, 1, 7, 2, 9, 3, 10]
    assert s.waiting()[Lane.INTERACTIVE] == 3


def test_the_first_in_the_queue_is_in_the_next_dispatch_whatever_its_length() -> None:
    s = schedule()
    s.put(job(Lane.INTERACTIVE, *[5, 250] * 20), now=0.0)
    left = list(range(40))
    while planned := s.next(Lane.INTERACTIVE, 0.0):
        assert left[0] in [text.index for text in planned.texts]
        left = [i for i in left if i not in {text.index for text in planned.texts}]
    assert left == []


def test_what_is_called_in_comes_again_but_what_is_lost_does_not() -> None:
    s = schedule()
    s.put(job(Lane.INTERACTIVE, 250, 250, 250, 250, 250), now=0.0)
    s.next(Lane.INTERACTIVE, 0.0)
    first, *others = s.out()
    s.delivered(others[-1])
    s.call_in([first])
    assert s.out() == []
    assert s.waiting()[Lane.INTERACTIVE] == 3
    s.next(Lane.INTERACTIVE, 0.0)
    assert s.out()[:2] == others[:2]
