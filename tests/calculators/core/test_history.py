from calcgraph.calculators.core.history import History
from calcgraph.runtime.timestamp import UNSTARTED


def test_a_value_is_in_force_until_the_next_one():
    history = History(UNSTARTED, "a")
    history.note(10, "b")
    history.note(20, "c")
    assert [history.at(time) for time in (-5, 9, 10, 19, 20, 99)] == ["a", "a", "b", "b", "c", "c"]
    assert history.latest == 20


def test_the_later_of_two_values_of_one_time_counts():
    history = History(0, "a")
    history.note(0, "b")
    assert (history.at(0), len(history)) == ("b", 1)


def test_what_nobody_asks_for_any_more_is_forgotten():
    history = History(0, "a")
    for time, value in [(10, "b"), (20, "c"), (30, "d")]:
        history.note(time, value)
    history.forget_before(25)
    assert len(history) == 2
    assert [history.at(time) for time in (25, 30)] == ["c", "d"]


def test_spans_follow_each_other_to_the_end():
    history = History(0, "a")
    history.note(10, "b")
    assert list(history.spans(15)) == [(0, 10, "a"), (10, 15, "b")]
