"""From the numbers of windows to the scores of documents."""

import numpy as np
import pytest

from calcgraph.calculators.rerank.relevance_scores import RelevanceScores, sigmoid
from calcgraph.calculators.rerank.values import Logits
from calcgraph.proto.rerank_pb2 import RelevanceScoresOptions as Options
from calcgraph.runtime.testing import run

LOGITS = Logits(
    np.array([-2.0, 3.0, 0.5, 1.0, -4.0, -6.0], np.float32),
    np.array([0, 0, 1, 2, 2, 2]),
    "IDENTITY",
)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ("BEST", [3.0, 0.5, 1.0]),
        ("MEAN", [0.5, 0.5, -3.0]),
        ("FIRST", [-2.0, 0.5, 1.0]),
    ],
)
def test_windows_become_a_document(windows: str, expected: list[float]) -> None:
    options = Options(windows=windows, activation="IDENTITY")
    [packet] = run(RelevanceScores, {"LOGITS": [LOGITS]}, options=options)["SCORES"]
    scores = packet.value
    assert scores.tolist() == expected
    assert scores.dtype == np.float32


@pytest.mark.parametrize(
    ("activation", "models_own", "expected"),
    [
        ("SIGMOID", "IDENTITY", 0.95257413),
        ("IDENTITY", "SIGMOID", 3.0),
        ("MODEL", "IDENTITY", 3.0),
        ("MODEL", "SIGMOID", 0.95257413),
    ],
)
def test_the_activation_is_the_graphs_or_the_models(
    activation: str, models_own: str, expected: float
) -> None:
    logits = Logits(np.array([3.0], np.float32), np.array([0]), models_own)  # type: ignore[arg-type]
    options = Options(activation=activation)
    [packet] = run(RelevanceScores, {"LOGITS": [logits]}, options=options)["SCORES"]
    scores = packet.value
    assert scores[0] == pytest.approx(expected)


def test_the_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0, 1e4], np.float32)).tolist() == [0, 0.5, 1]
