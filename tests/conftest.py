"""What many tests share."""

from pathlib import Path

import pytest

MODELS = Path(__file__).parent.parent / "models"


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the default model, weights and tokenizer and all."""
    folder = MODELS / "sentence-transformers" / "all-MiniLM-L6-v2"
    if not (folder / "openvino_model.xml").exists():
        pytest.fail(f"{folder} holds no model: run `calcgraph pull` (or `make test`, which does)")
    return folder
