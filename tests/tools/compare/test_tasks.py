"""The accuracy tasks, with embeddings whose figure one can tell by head."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from calcgraph.runtime.errors import StatusError
from calcgraph.tools.compare.endpoint import Vectors
from calcgraph.tools.compare.tasks import banking77, stsb

LABELS = ["card", "rate", "limit"]


def by_angle(texts: Sequence[str]) -> Vectors:
    """A text is the angle of its vector."""
    angles = np.radians([float(text) for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def by_label(texts: Sequence[str]) -> Vectors:
    """A text begins with its label, and that is all its vector knows."""
    return np.array([[text.startswith(label) for label in LABELS] for text in texts], np.float32)


def write(file: Path, *rows: str) -> Path:
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    for name, count in (("train", 20), ("test", 5)):
        rows = [f"{label} {name} {i},{label}" for label in LABELS for i in range(count)]
        write(tmp_path / f"{name}.csv", "text,category", *rows)
    return tmp_path


def test_cosines_in_the_order_of_the_scores_are_a_perfect_correlation(tmp_path: Path) -> None:
    file = write(tmp_path / "sts.csv", "0,0,5", "0,20,4.5", "10,60,2", "0,90,0")
    assert stsb(file, by_angle) == pytest.approx(1)


def test_cosines_in_the_opposite_order_are_a_perfect_anticorrelation(tmp_path: Path) -> None:
    file = write(tmp_path / "sts.csv", "0,0,0", "0,20,2", "0,90,5")
    assert stsb(file, by_angle) == pytest.approx(-1)


def test_the_length_of_a_vector_does_not_count(tmp_path: Path) -> None:
    file = write(tmp_path / "sts.csv", "0,0,5", "0,20,4", "0,90,0")
    scaled = stsb(file, lambda texts: by_angle(texts) * np.float32(len(texts[0]) + 3))
    assert scaled == pytest.approx(1)


def test_embeddings_that_know_the_label_classify_everything(queries: Path) -> None:
    assert banking77(queries, by_label) == 1.0


def test_embeddings_that_know_nothing_classify_one_label_of_three(queries: Path) -> None:
    blind = banking77(queries, lambda texts: np.zeros((len(texts), 2), np.float32))
    assert blind == pytest.approx(1 / 3)


def test_only_what_a_draw_needs_is_embedded(queries: Path) -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> Vectors:
        asked.extend(texts)
        return by_label(texts)

    banking77(queries, embed)
    assert len(asked) == len(set(asked))
    assert len(asked) <= 3 * (20 + 5)


@pytest.mark.parametrize(
    ("content", "message"),
    [("a,b\nc,d\n", "expected 3"), ("", "no rows")],
)
def test_a_file_that_does_not_fit_is_told(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "sts.csv"
    file.write_text(content)
    with pytest.raises(StatusError, match=message):
        stsb(file, by_angle)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StatusError, match=r"train\.csv cannot be read"):
        banking77(tmp_path, by_label)


def test_other_columns_are_told(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", "label,text", "a,b")
    with pytest.raises(StatusError, match="expected the columns text and category"):
        banking77(tmp_path, by_label)
