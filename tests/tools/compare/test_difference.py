"""How far two sets of vectors are apart, and what passes."""

import numpy as np
import pytest

from calcgraph.runtime.errors import StatusError
from calcgraph.tools.compare.difference import differences, report

ONE = np.array([[1.0, 0.0]], np.float32)


def test_the_score_is_the_length_of_the_difference() -> None:
    (found,) = differences(ONE, np.array([[0.0, 1.0]], np.float32))
    assert found.score == pytest.approx(2**0.5)
    assert found.cosine == pytest.approx(0)
    assert found.largest == pytest.approx(1)


@pytest.mark.parametrize(
    ("other", "passes"),
    [([1.0, 0.0], True), ([1.0, 0.009], True), ([1.0, 0.02], False), ([np.nan, 0.0], False)],
)
def test_a_vector_passes_by_its_score_and_by_each_number(other: list[float], passes: bool) -> None:
    (found,) = differences(ONE, np.array([other], np.float32))
    assert found.passes() is passes


def test_many_small_differences_fail_together() -> None:
    (found,) = differences(np.zeros((1, 100), np.float32), np.full((1, 100), 0.009, np.float32))
    assert found.largest < 0.01
    assert not found.passes()
    assert found.passes(limit=0.1)


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 3), "of 2 numbers, the reference of 3"), ((2, 2), "reference 2")]
)
def test_vectors_of_another_shape_are_told(shape: tuple[int, int], message: str) -> None:
    with pytest.raises(StatusError, match=message):
        differences(ONE, np.zeros(shape, np.float32))


def test_the_report_names_each_text_and_counts() -> None:
    served = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    wanted = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    good, bad, all_ = report(["good", "b" * 80], differences(served, wanted), 0.06)
    assert good.startswith("[PASS]") and good.endswith("'good'")
    assert bad.startswith("[FAIL]") and len(bad) < 150
    assert all_.startswith("[FAILED] 1 of 2 within 0.06")
