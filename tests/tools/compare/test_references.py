"""What served vectors are compared with."""

from pathlib import Path

import numpy as np
import pytest

from calcgraph.runtime.errors import StatusError
from calcgraph.tools.compare.references import load_goldens, save_goldens, sentence_transformers


def test_goldens_come_back_as_they_were_stored(tmp_path: Path) -> None:
    texts, vectors = ["a", "日本語 🎉", ""], np.arange(6, dtype=np.float32).reshape(3, 2)
    save_goldens(tmp_path / "goldens.npz", texts, vectors)
    found_texts, found = load_goldens(tmp_path / "goldens.npz")
    assert found_texts == texts
    np.testing.assert_array_equal(found, vectors)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04"])
def test_a_file_that_holds_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "goldens.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StatusError, match="--save_goldens"):
        load_goldens(file)


def test_without_torch_one_is_told_what_to_install() -> None:
    with pytest.raises(StatusError, match="pip install sentence-transformers"):
        sentence_transformers("any", ["text"])
