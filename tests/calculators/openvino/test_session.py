"""Inferences side by side, and after one that failed."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from calcgraph.calculators.openvino.session import InferenceError, Session
from calcgraph.runtime.payload import Tensor


@pytest.fixture
def session(save_add: Callable[..., Path], tmp_path: Path) -> Iterator[Session]:
    """The model that adds a and b, [-1, 3] both, by two at a time."""
    core = ov.Core()
    model = core.read_model(save_add(tmp_path / "m.xml"))
    session = Session(core, model, "CPU", {"INFERENCE_NUM_THREADS": 1}, 2)
    yield session
    session.close()


def submit(session: Session, a: float, rows: int, rows_of_b: int = 0) -> Future[Any]:
    x = np.full((rows, 3), a, np.float32)
    y = np.full((rows_of_b or rows, 3), 1, np.float32)
    return session.submit([Tensor("a", "FP32", x), Tensor("b", "FP32", y)])


def sum_of(answer: Future[Any]) -> np.ndarray[Any, Any]:
    (total,) = answer.result(60)
    assert (total.name, total.datatype) == ("sum", "FP32")
    return total.data  # type: ignore[no-any-return]


def test_many_at_a_time_get_their_own_answers(session: Session) -> None:
    waiting = [submit(session, i, rows=1 + i % 5) for i in range(200)]
    for i, answer in enumerate(waiting):
        assert np.array_equal(sum_of(answer), np.full((1 + i % 5, 3), i + 1))
    assert (session.inferences, session.failures) == (200, 0)


def test_one_that_fails_says_why_and_takes_nobody_along(session: Session) -> None:
    good = [submit(session, i, rows=2) for i in range(20)]
    bad = submit(session, 1, rows=2, rows_of_b=3)
    good += [submit(session, i, rows=2) for i in range(20)]
    with pytest.raises(InferenceError, match="mismatch"):
        bad.result(60)
    for i, answer in enumerate(good):
        assert np.array_equal(sum_of(answer), np.full((2, 3), i % 20 + 1))
    assert session.failures == 1
    assert not session.replacing


def test_the_device_says_how_many_it_runs_best(
    save_add: Callable[..., Path], tmp_path: Path
) -> None:
    core = ov.Core()
    model = core.read_model(save_add(tmp_path / "m.xml"))
    session = Session(core, model, "CPU", {"NUM_STREAMS": 2, "INFERENCE_NUM_THREADS": 2}, 0)
    assert session.requests == 2
    assert session.property("NUM_STREAMS") == 2
    assert session.property("NO_SUCH_PROPERTY") is None
    session.close()


def test_a_model_that_does_not_compile_is_told(
    save_add: Callable[..., Path], tmp_path: Path
) -> None:
    core = ov.Core()
    model = core.read_model(save_add(tmp_path / "m.xml"))
    with pytest.raises(ValueError, match="cannot be compiled for NOWHERE: "):
        Session(core, model, "NOWHERE", {}, 1)
