"""The order in which texts leave the queue."""

from collections import Counter
from collections.abc import Hashable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calcgraph.calculators.engine.queue import Job, Lane, Text, TextQueue

URGENT = Lane.INTERACTIVE


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
    assert names(queue.take(URGENT, 100)) == [("a", 0), ("a", 1), ("a", 0)]
    assert (queue.texts(URGENT), queue.tokens(URGENT)) == (0, 0)


def test_clients_take_turns_a_text_each() -> None:
    queue = queue_of(job("a", 1, 1, 1), job("b", 1), job("c", 1, 1))
    assert names(queue.take(URGENT, 100)) == [
        ("a", 0),
        ("b", 0),
        ("c", 0),
        ("a", 1),
        ("c", 1),
        ("a", 2),
    ]


def test_bulk_requests_of_one_client_take_turns_too() -> None:
    first, second, other = jobs = [job(client, 1, 1, lane=Lane.BULK) for client in "aab"]
    texts = queue_of(*jobs).take(Lane.BULK, 100)
    assert [text.job for text in texts] == [first, other, second, other, first, second]


def test_a_batch_keeps_to_its_budget_give_or_take_its_last_text() -> None:
    queue = queue_of(job("a", 40, 40, 40))
    assert len(queue.take(URGENT, 80)) == 2
    assert len(queue.take(URGENT, 10)) == 1, "at least one, or nothing would ever be done"


def test_lanes_do_not_mix() -> None:
    queue = queue_of(job("bulk", 10, 10, lane=Lane.BULK), job("person", 7))
    assert names(queue.take(Lane.INTERACTIVE, 100)) == [("person", 0)]
    assert (queue.texts(Lane.INTERACTIVE), queue.texts(Lane.BULK)) == (0, 2)
    assert (queue.tokens(Lane.INTERACTIVE), queue.tokens(Lane.BULK)) == (0, 20)
    assert queue.take(Lane.INTERACTIVE, 100) == []


def test_discarding_a_job_leaves_the_others() -> None:
    gone = job("a", 3, 3)
    queue = queue_of(job("a", 1), gone, job("b", 2, 2))
    queue.take(URGENT, 1)
    queue.discard(gone)
    queue.discard(gone)
    assert (queue.texts(URGENT), queue.tokens(URGENT)) == (2, 4)
    assert {client for client, _ in names(queue.take(URGENT, 100))} == {"b"}


def test_texts_put_back_come_first_and_in_order() -> None:
    queue = queue_of(job("a", 1, 1, 1), job("b", 1))
    taken = queue.take(URGENT, 2)
    queue.put_back(taken)
    assert names(queue.take(URGENT, 2)) == names(taken)


def test_bulk_put_back_comes_first_and_in_order_whoever_was_next() -> None:
    queue = queue_of(*(job(client, 1, 1, 1, lane=Lane.BULK) for client in "aab"))
    taken = queue.take(Lane.BULK, 4)
    queue.put_back(taken)
    assert {(id(t.job), t.index) for t in queue.take(Lane.BULK, 4)} == {
        (id(t.job), t.index) for t in taken
    }


def test_draining_gives_each_job_once() -> None:
    jobs = [job("a", 1, 1), job("a", 1), job("b", 1, lane=Lane.BULK)]
    queue = queue_of(*jobs)
    assert sorted(map(id, queue.drain())) == sorted(map(id, jobs))
    assert (queue.texts(URGENT), queue.tokens(URGENT)) == (0, 0)


lengths = st.lists(st.integers(1, 60), min_size=1, max_size=12)
jobs = st.lists(st.tuples(st.sampled_from("abc"), lengths), max_size=12)


@given(jobs, st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=1, max_size=30))
def test_every_text_leaves_exactly_once(
    specs: list[tuple[str, list[int]]], takes: list[tuple[int, bool]]
) -> None:
    made = [job(client, *lengths) for client, lengths in specs]
    queue = queue_of(*made)
    wanted = Counter((id(j), i) for j in made for i in range(len(j.sequences)))
    seen: Counter[tuple[int, int]] = Counter()
    turn = 0
    while queue.texts(URGENT):
        budget, back = takes[turn % len(takes)]
        turn += 1
        texts = queue.take(URGENT, budget)
        assert texts
        if back and turn < 20:
            queue.put_back(texts[1:])
            texts = texts[:1]
        seen.update((id(t.job), t.index) for t in texts)
        assert queue.texts(URGENT) == sum((wanted - seen).values())
    assert seen == wanted
    assert queue.tokens(URGENT) == 0
