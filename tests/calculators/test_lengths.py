"""The arithmetic of windows, and of the vectors that come out of them."""

from itertools import pairwise

import numpy as np
import pytest

from calcgraph.calculators.lengths import LengthRule, Overflow, TooLong, merge_windows
from calcgraph.calculators.tokenization.special_tokens import SpecialTokens

SPECIAL = SpecialTokens(prefix=np.array([1]), suffix=np.array([2]))


def windows(tokens: int, limit: int, overlap: int) -> list[list[int]]:
    ids = np.array([1, *range(10, 10 + tokens), 2])
    rule = LengthRule(Overflow.CHUNK, limit, SPECIAL, overlap)
    return [window.tolist() for window in rule.fit([ids])[0]]


@pytest.mark.parametrize(
    ("tokens", "limit", "overlap", "expected"),
    [
        (4, 5, 0, [[10, 11, 12], [13]]),
        (6, 5, 0, [[10, 11, 12], [13, 14, 15]]),
        (5, 5, 1, [[10, 11, 12], [12, 13, 14]]),
        (6, 5, 1, [[10, 11, 12], [12, 13, 14], [14, 15]]),
        (5, 5, 2, [[10, 11, 12], [11, 12, 13], [12, 13, 14]]),
        (2, 3, 0, [[10], [11]]),
    ],
)
def test_windows_cover_all_tokens_and_the_last_one_has_something_new(
    tokens: int, limit: int, overlap: int, expected: list[list[int]]
) -> None:
    assert windows(tokens, limit, overlap) == [[1, *own, 2] for own in expected]


@pytest.mark.parametrize("overlap", range(6))
@pytest.mark.parametrize("tokens", range(7, 40))
def test_whatever_the_length_every_window_fits_and_none_repeats_the_last(
    tokens: int, overlap: int
) -> None:
    found = windows(tokens, 8, overlap)
    assert all(len(window) <= 8 for window in found)
    assert sorted({id for window in found for id in window[1:-1]}) == list(range(10, 10 + tokens))
    for left, right in pairwise(found):
        assert right[1 : 1 + overlap] == left[-1 - overlap : -1]
        assert right[-2] > left[-2]


def test_a_merged_vector_is_the_mean_weighted_by_tokens() -> None:
    vectors = np.array([[9, 9], [1, 0], [0, 1], [7, 7]], np.float32)
    sequences = [np.zeros(n, np.int64) for n in (4, 3, 1, 5)]
    too_long = [TooLong(1, 4, 4, windows=2)]
    merged = merge_windows(vectors, sequences, too_long, normalized=False)
    np.testing.assert_allclose(merged, [[9, 9], [0.75, 0.25], [7, 7]])
    unit = merge_windows(vectors, sequences, too_long, normalized=True)
    np.testing.assert_allclose(np.linalg.norm(unit[1]), 1)


def test_inputs_that_were_only_cut_keep_their_vectors() -> None:
    vectors = np.ones((2, 2), np.float32)
    assert merge_windows(vectors, [], [TooLong(0, 9, 3)], normalized=True) is vectors
