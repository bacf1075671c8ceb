"""The order in which texts leave the queue."""

from collections import Counter
from collections.abc import Hashable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calcgraph.calculators.engine.queue import BULK_SHARE, Job, Lane, Text, TextQueue


def job(client: Hashable, *lengths: int, lane: Lane = Lane.INTERACTIVE) -> Job:
    return Job([np.zeros(n, np.int64) for n in lengths], lane, client)


def names(texts: list[Text]) -> list[tuple[Hashable, int]]:
    return [(text.job.client, text.index) for text in texts]


def queue_of(*jobs: Job) -> TextQueue:
    queue = TextQueue()
    for each in jobs:
        queue.put(each)
    return queue


def test_one_client_is_served_in_order() -> None:
    queue = queue_of(job("a", 5, 5), job("a", 5))
    assert names(queue.take(100)) == [("a", 0), ("a", 1), ("a", 0)]
    assert (queue.texts, queue.tokens) == (0, 0)


def test_clients_take_turns_a_text_each() -> None:
    queue = queue_of(job("a", 1, 1, 1), job("b", 1), job("c", 1, 1))
    assert names(queue.take(100)) == [
        ("a", 0),
        ("b", 0),
        ("c", 0),
        ("a", 1),
        ("c", 1),
        ("a", 2),
    ]


def test_a_batch_keeps_to_its_budget_give_or_take_its_last_text() -> None:
    queue = queue_of(job("a", 40, 40, 40))
    assert len(queue.take(80)) == 2
    assert len(queue.take(10)) == 1, "at least one, or nothing would ever be done"


def test_interactive_texts_overtake_bulk() -> None:
    queue = queue_of(job("bulk", *[10] * 100, lane=Lane.BULK))
    queue.take(50)
    queue.put(job("person", 10))
    assert names(queue.take(50))[0] == ("person", 0)


def test_bulk_gets_its_share_however_much_interactive_work_there_is() -> None:
    queue = queue_of(job("bulk", *[90] * 100, lane=Lane.BULK), job("people", *[10] * 1000))
    tokens: Counter[Lane] = Counter()
    for _ in range(20):
        for text in queue.take(100):
            tokens[text.job.lane] += len(text.ids)
    share = tokens[Lane.BULK] / tokens[Lane.INTERACTIVE]
    assert 0.7 * BULK_SHARE < share < 1.3 * BULK_SHARE


def test_bulk_alone_may_have_a_budget_of_its_own() -> None:
    queue = queue_of(job("bulk", *[10] * 100, lane=Lane.BULK))
    assert len(queue.take(500, 20)) == 2


def test_discarding_a_job_leaves_the_others() -> None:
    gone = job("a", 3, 3)
    queue = queue_of(job("a", 1), gone, job("b", 2, 2))
    queue.take(1)
    queue.discard(gone)
    queue.discard(gone)
    assert (queue.texts, queue.tokens) == (2, 4)
    assert {client for client, _ in names(queue.take(100))} == {"b"}


def test_texts_put_back_come_first_and_in_order() -> None:
    queue = queue_of(job("a", 1, 1, 1), job("b", 1))
    taken = queue.take(2)
    queue.put_back(taken)
    assert names(queue.take(2)) == names(taken)


def test_draining_gives_each_job_once() -> None:
    jobs = [job("a", 1, 1), job("a", 1), job("b", 1, lane=Lane.BULK)]
    queue = queue_of(*jobs)
    assert sorted(map(id, queue.drain())) == sorted(map(id, jobs))
    assert (queue.texts, queue.tokens) == (0, 0)


lengths = st.lists(st.integers(1, 60), min_size=1, max_size=12)
jobs = st.lists(
    st.tuples(st.sampled_from("abc"), lengths, st.sampled_from(list(Lane))), max_size=12
)


@given(jobs, st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=1, max_size=30))
def test_every_text_leaves_exactly_once(
    specs: list[tuple[str, list[int], Lane]], takes: list[tuple[int, bool]]
) -> None:
    made = [job(client, *lengths, lane=lane) for client, lengths, lane in specs]
    queue = queue_of(*made)
    wanted = Counter((id(j), i) for j in made for i in range(len(j.sequences)))
    seen: Counter[tuple[int, int]] = Counter()
    turn = 0
    while queue.texts:
        budget, back = takes[turn % len(takes)]
        turn += 1
        texts = queue.take(budget)
        assert texts
        if back and turn < 20:
            queue.put_back(texts[1:])
            texts = texts[:1]
        seen.update((id(t.job), t.index) for t in texts)
        assert queue.texts == sum((wanted - seen).values())
    assert seen == wanted
    assert queue.tokens == 0
