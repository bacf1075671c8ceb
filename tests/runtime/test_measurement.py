"""Distributions: which bucket a value falls into."""

import pytest

from calcgraph.runtime.measurement import SECONDS, Distribution


def test_a_value_falls_into_the_first_bucket_that_reaches_it() -> None:
    values = Distribution([1, 2, 5])
    for value in (0.5, 1, 1.5, 5, 7):
        values.add(value)
    assert values.counts == [2, 1, 1, 1]
    assert values.sum == 15


def test_distributions_of_the_same_bounds_are_merged() -> None:
    one, other = Distribution([1, 2]), Distribution([1, 2])
    one.add(1)
    other.add(3)
    one.merge(other)
    assert (one.counts, one.sum) == ([1, 0, 1], 4)


def test_others_are_not() -> None:
    with pytest.raises(ValueError, match="zip"):
        Distribution([1, 2]).merge(Distribution([1]))


def test_the_usual_bounds_ascend_from_a_tenth_of_a_millisecond() -> None:
    assert list(SECONDS) == sorted(SECONDS)
    assert (SECONDS[0], SECONDS[-1]) == (0.0001, 50.0)
