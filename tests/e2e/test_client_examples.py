"""What people do with the endpoint, as in examples/: retrieval for RAG, MTEB."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import BF16, ROOT

EXAMPLES = ROOT / "examples"
DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.slow


@pytest.fixture
def example(server: Any, client_python: Any, tmp_path: Path) -> Callable[..., str]:
    """Run an example's script, in an environment of what its requirements.txt asks for."""

    def run(folder: str, script: str, *arguments: str | Path) -> str:
        requirements = (EXAMPLES / folder / "requirements.txt").read_text().splitlines()
        python = client_python({"rag_langchain": "rag"}.get(folder, folder), requirements)
        command = [python, EXAMPLES / folder / script, "--url", f"http://{server.rest}/v3"]
        done = subprocess.run(
            [*command, "--model", BF16, *arguments],
            capture_output=True,
            text=True,
            timeout=600,
            cwd=tmp_path,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("The water runs slowly and tastes of chalk. What can I do?", "descaling.md"),
        ("Who pays when it breaks after a year?", "warranty.md"),
        ("no steam comes out of the nozzle", "milk.md"),
        ("my espresso is sour", "brewing.md"),
    ],
)
def test_rag_puts_the_right_document_first(
    example: Any, tmp_path: Path, question: str, source: str
) -> None:
    for _ in range(2):  # the second time from the store on disk
        out = example("rag_langchain", "rag.py", "--store", tmp_path / "store", question)
        assert re.findall(r"^\[(\S+)\]", out, re.MULTILINE)[0] == source
        assert f"Question: {question}" in out


@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not there")
def test_mteb_gives_the_published_figures(example: Any, tmp_path: Path) -> None:
    results = tmp_path / "results"
    tasks = ("Banking77Classification", "STSBenchmark")
    out = example("mteb", "evaluate.py", *tasks, "--data", DATA, "--results", results)
    scores = dict(re.findall(r"^(\w+) ([\d.]+)$", out, re.MULTILINE))
    assert float(scores["Banking77Classification"]) == pytest.approx(0.80, abs=0.01)
    assert float(scores["STSBenchmark"]) == pytest.approx(0.867, abs=0.002)
    assert list(results.rglob("Banking77Classification.json"))
