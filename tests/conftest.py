"""What many tests share."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "helpers"))

from hand_clock import Clock
from hub_stand_in import Hub, serving

MODELS = Path(__file__).parent.parent / "models"


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """Our warnings reach `caplog`, whatever a library does to the root logger meanwhile (OpenVINO's converter silences it)."""
    caplog.set_level(logging.WARNING, "calcgraph")


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the default model, weights and tokenizer and all."""
    folder = MODELS / "sentence-transformers" / "all-MiniLM-L6-v2"
    if not (folder / "openvino_model.xml").exists():
        pytest.fail(f"{folder} holds no model: run `calcgraph pull` (or `make test`, which does)")
    return folder


@pytest.fixture
def clock() -> Clock:
    return Clock()


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


@pytest.fixture(scope="session")
def save_add() -> Callable[..., Path]:
    """Write an IR that adds `a` and `b` (FP32), and once more a number of its own, into `sum`."""
    import openvino as ov
    from openvino import opset13 as op

    def save(file: Path, shape: Sequence[int] = (-1, 3), more: float = 0.0) -> Path:
        ports = {name: op.parameter(list(shape), np.float32) for name in "ab"}
        for name, port in ports.items():
            port.output(0).set_names({name})
        total = op.add(op.add(*ports.values()), op.constant(np.float32(more)))
        total.output(0).set_names({"sum"})
        file.parent.mkdir(parents=True, exist_ok=True)
        ov.save_model(ov.Model([op.result(total)], list(ports.values()), "add"), file)
        return file

    return save
