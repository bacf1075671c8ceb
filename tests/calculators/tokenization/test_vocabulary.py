"""A tokenizer of another model is found out when a model is loaded."""

import json
from pathlib import Path
from typing import Any

import pytest

from calcgraph.calculators.tokenization.vocabulary import check_vocabulary


def write(folder: Path, vocabulary: Any) -> None:
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))


@pytest.mark.parametrize("vocabulary", [{"a": 0, "b": 3}, [["a", 0.0]] * 4])
def test_a_word_without_a_row_is_told_with_both_sizes(tmp_path: Path, vocabulary: Any) -> None:
    write(tmp_path, vocabulary)
    check_vocabulary(tmp_path, 4)
    with pytest.raises(ValueError, match=r"token ids up to 3, the model's table ids up to 2: they"):
        check_vocabulary(tmp_path, 3)


def test_what_is_not_known_is_not_refused(tmp_path: Path) -> None:
    check_vocabulary(tmp_path, 3)
    write(tmp_path, {"a": 9})
    check_vocabulary(tmp_path, None)
