from collections.abc import Callable
from pathlib import Path

import pytest

SENTENCES = (
    ("the cat sat", "the cat sat on the mat", 4.0),
    ("hello world", "the dog", 0.5),
    ("a happy person", "a happy dog", 3.0),
    ("the mat", "world", 1.0),
)


@pytest.fixture
def stsb(tmp_path: Path) -> Path:
    file = tmp_path / "stsb.csv"
    file.write_text("".join(f"{one},{other},{score}\n" for one, other, score in SENTENCES))
    return file


def test_a_task_is_measured_beside_the_published_model(
    model: Path, published: Path, stsb: Path, verify: Callable
) -> None:
    table = verify(model, "--reference", published, "--task", "stsb", stsb)
    assert table.status == 0, table.text
    (line,) = (line for line in table.text.splitlines() if "stsb" in line)
    assert line.startswith("[PASS] stsb")
    assert line.endswith(": +0.0000")


def test_a_loss_that_is_too_large_fails(
    model: Path, published: Path, stsb: Path, verify: Callable
) -> None:
    # A gain of 3 is asked for, and Spearman's correlation ends at 1.
    table = verify(model, "--reference", published, "--task", "stsb", stsb, "--largest_loss", "-3")
    assert table.failed == ["stsb"], table.text


def test_without_a_reference_the_figure_alone_is_told(
    model: Path, stsb: Path, verify: Callable
) -> None:
    table = verify(model, "--task", "stsb", stsb)
    assert table.status == 0
    assert "give --reference to compare it" in table.text
