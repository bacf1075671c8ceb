"""Wheel and source package: built from what git has, installed where nothing else is, and served from."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest

from .conftest import BF16, READY, ROOT, Running, first_line, vectors

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source package, and the wheel that was built from it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--outdir", folder, source]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (file,) = built.glob("*.whl")
    return file


def modules(root: Path) -> set[str]:
    """Every module of the package as it is in the repository."""
    project = (root / "pyproject.toml").read_text()
    folders = re.findall(r'^"calcgraph\.[\w.]+" = "([\w/]+)"$', project, re.M)
    return {
        f"calcgraph/{file.relative_to(root)}"
        for folder in folders
        for file in (root / folder).glob("*.py")
    }


def test_the_wheel_has_every_module_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.endswith(".py")}
    assert names == modules(ROOT)


def test_the_wheel_has_the_graphs_the_types_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for ending in ("calcgraph/graphs/embeddings.pbtxt", "calcgraph/runtime/py.typed", "/LICENSE"):
        assert any(name.endswith(ending) for name in names), ending


def test_the_source_package_has_what_the_wheel_is_made_of(built: Path, wheel: Path) -> None:
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name.removeprefix("calcgraph/") for name in modules(ROOT)} <= names
    assert {"pyproject.toml", "README.md", "LICENSE"} <= names


@contextmanager
def serving(python: Path, models: Path, folder: Path) -> Iterator[Running]:
    errors = folder / "stderr"
    command = [python.parent / "calcgraph", "serve", "--config_path", models / "config.json"]
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [*command, "--rest_port", "0"],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=folder,
        )
    try:
        line = first_line(process)
        match = READY.fullmatch(line)
        assert match, errors.read_text()
        yield Running(process, line, match["rest"], "", errors)
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def test_the_wheel_alone_serves_the_default_model(
    wheel: Path, minilm: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True, timeout=1500)
    models = minilm.parent.parent
    with serving(python, models, tmp_path) as server:
        connection = HTTPConnection(server.rest, timeout=60)
        body = {"model": BF16, "input": ["a happy person", "a very happy person"]}
        connection.request("POST", "/v3/embeddings", json.dumps(body))
        first, second = vectors(json.loads(connection.getresponse().read()))
        connection.close()
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-3)
    assert first @ second > 0.9
