"""The example packages, installed as a user would and named in a graph."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import BF16, ROOT, Running

TUTORIAL = ROOT / "examples" / "tutorial"


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Install an example into a folder of its own; returns the folder, for PYTHONPATH."""

    def into_folder(example: str) -> Path:
        source = tmp_path_factory.mktemp("source") / example
        shutil.copytree(ROOT / "examples" / example, source)
        target = tmp_path_factory.mktemp("site")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*command, "--target", str(target), str(source)], check=True, timeout=300)
        return target

    return into_folder


def test_the_example_calculator_shortens_the_vectors(
    launch: Any, install: Any, minilm: Path, server: Running, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(minilm, model)
    shutil.copy(ROOT / "examples" / "matryoshka" / "graph.pbtxt", model)
    flags = ["--model_name", "short", "--model_path", str(model), "--rest_port", "0"]
    site = {"PYTHONPATH": str(install("matryoshka"))}
    short = launch("serve", *flags, environment=site).embed("short", "hello world")
    assert short.shape == (1, 128)
    assert np.linalg.norm(short) == pytest.approx(1, abs=1e-3)
    leading = server.embed(BF16, "hello world")[:, :128]
    cosine = (short @ leading.T).item() / np.linalg.norm(leading)
    assert cosine == pytest.approx(1, abs=1e-3)


def test_without_the_package_the_graph_names_what_is_missing(
    refusal: Any, minilm: Path, tmp_path: Path
) -> None:
    graph = ROOT / "examples" / "matryoshka" / "graph.pbtxt"
    shutil.copy(graph, tmp_path)
    message = refusal("serve", "--model_name", "m", "--model_path", tmp_path, "--rest_port", "0")
    line = next(
        i for i, text in enumerate(graph.read_text().splitlines(), 1) if '"Truncate"' in text
    )
    assert f"graph.pbtxt:{line}:" in message
    assert 'Unable to find Calculator "Truncate"' in message


def test_a_stream_has_the_running_mean_of_its_own_texts(
    launch: Any, install: Any, minilm: Path, server: Running, client_python: Any, tmp_path: Path
) -> None:
    example = ROOT / "examples" / "running_mean"
    model = tmp_path / "model"
    shutil.copytree(minilm, model)
    shutil.copy(example / "graph.pbtxt", model)
    flags = ["--model_name", "mean", "--model_path", str(model), "--port", "0"]
    site = {"PYTHONPATH": str(install("running_mean"))}
    address = launch("serve", *flags, environment=site).grpc
    requirements = (example / "requirements.txt").read_text().split()
    python = client_python("tritonclient", requirements)
    texts = ["a cat", "a dog", "a diesel engine"]
    alone = np.concatenate([server.embed(BF16, text) for text in texts])
    for sent in (texts, texts[::-1]):  # the second stream knows nothing of the first
        command = [python, example / "client.py", "--url", address, "--model", "mean", *sent]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [answer["text"] for answer in answers] == sent
        vectors = alone if sent == texts else alone[::-1]
        expected = np.cumsum(vectors, axis=0) / np.arange(1, 4)[:, None]
        np.testing.assert_allclose([answer["mean"] for answer in answers], expected, atol=2e-3)


@pytest.fixture(scope="session")
def tutorial(install: Any) -> dict[str, str]:
    """An environment in which the tutorial's package is installed."""
    return {**os.environ, "PYTHONPATH": str(install("tutorial")), "PYTHONDONTWRITEBYTECODE": "1"}


def run(*command: str | Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tutorials_own_tests_pass(tutorial: dict[str, str]) -> None:
    out = run("-m", "pytest", "-q", "-p", "no:cacheprovider", TUTORIAL, environment=tutorial)
    assert "4 passed" in out


def test_the_tutorials_graph_runs(tutorial: dict[str, str]) -> None:
    texts = ["The cats", "sitting on mats", "dogs"]
    out = run(TUTORIAL / "run_graph.py", *texts, environment=tutorial)
    assert out.split() == ["1.00", "1.00", "0.50"]


def test_the_tutorials_commands_work(tutorial: dict[str, str]) -> None:
    graph = TUTORIAL / "graph.pbtxt"
    command = ["-m", "calcgraph.servers"]
    assert 'calculator: "KnownShare"' in run(
        *command, "graph", "check", graph, environment=tutorial
    )
    drawn = run(*command, "graph", "show", graph, "--format", "mermaid", environment=tutorial)
    assert "KnownShare" in drawn
    assert "calcgraph-tutorial 0.1.0" in run(*command, "calculators", environment=tutorial)
    assert "SHARE" in run(*command, "calculators", "KnownShare", environment=tutorial)


def test_the_tutorial_shows_the_code_that_runs() -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    blocks = re.findall(r"<!-- (\S+) -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == text.count("```") // 2
    for file, code in blocks:
        assert code in (TUTORIAL / file).read_text(), code
