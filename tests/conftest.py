"""What many tests share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "helpers"))

from hub_stand_in import Hub, serving

MODELS = Path(__file__).parent.parent / "models"


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the default model, weights and tokenizer and all."""
    folder = MODELS / "sentence-transformers" / "all-MiniLM-L6-v2"
    if not (folder / "openvino_model.xml").exists():
        pytest.fail(f"{folder} holds no model: run `calcgraph pull` (or `make test`, which does)")
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub that programs which are started now take for the Hugging Face hub, and an empty cache."""
    with serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf_home"))
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield hub
