"""`calcgraph verify` with sentence-transformers itself as the reference, in an environment of its own."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import COMMAND, ROOT

BERT = ROOT / "tests" / "data" / "encoders" / "bert"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A miniature, pulled, with exact arithmetic: its weights are random, and bf16 rounds more than they tell apart."""
    flags = ["--source_model", BERT, "--model_repository_path", tmp_path]
    subprocess.run([*COMMAND, "pull", *map(str, flags)], check=True, capture_output=True)
    graph = tmp_path / "bert" / "graph.pbtxt"
    exact = graph.read_text().replace("'{}'", """'{"INFERENCE_PRECISION_HINT": "f32"}'""")
    graph.write_text(exact)
    return tmp_path / "bert"


def verify(model: Path, python: Path) -> str:
    command = [*COMMAND, "verify", model, "--reference", BERT, "--python", python]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_sentence_transformers_agrees_and_finds_a_wrong_pooling(
    model: Path, client_python: Any
) -> None:
    requirements = (ROOT / "benchmarks" / "families" / "requirements.txt").read_text().splitlines()
    wanted = [
        line for line in requirements if re.match("sentence-transformers|torch|transfo", line)
    ]
    python = client_python("sentence_transformers", wanted)
    assert "[SUCCESS] 17 checks passed" in verify(model, python)

    graph = model / "graph.pbtxt"
    graph.write_text(re.sub("pooling: CLS", "pooling: LAST", graph.read_text()))
    said = verify(model, python)
    assert "the server takes LAST, the model was trained with CLS" in said
