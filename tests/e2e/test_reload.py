"""A server whose files are changed while it serves: what it answers then, and what it tells of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
NEVER = ("--file_system_poll_wait_seconds", "0")
OFTEN = ("--file_system_poll_wait_seconds", "0.1")


class Repository:
    """A folder with a config.json and links to the default model, whose graph may be edited."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self.source = source
        self.config = folder / "config.json"

    def add(self, *names: str) -> None:
        for name in names:
            shutil.copytree(self.source, self.folder / name)
        self.serve(*names)

    def serve(self, *names: str) -> None:
        models = [{"config": {"name": name, "base_path": name}} for name in names]
        self.config.write_text(json.dumps({"model_config_list": models}))

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name / "graph.pbtxt"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


@pytest.fixture
def repository(minilm: Path, tmp_path: Path) -> Repository:
    return Repository(tmp_path, minilm)


def status(server: Any, name: str = "m") -> dict[str, Any]:
    _, answer = server.get("/v1/config")
    (version,) = answer[name]["model_version_status"]
    return {"state": version["state"], **version["status"]}


def normalized(server: Any, name: str = "m") -> bool:
    (vector,) = server.embed(name, "hello world")
    return bool(abs((vector**2).sum() - 1) < 1e-2)


def test_reload_answers_as_ovms_does(launch: Callable[..., Any], repository: Repository) -> None:
    repository.add("m")
    server = launch("--config_path", repository.config, "--rest_port", "0", *NEVER)
    assert server.post("/v1/config/reload", b"")[0] == 200
    repository.edit("m", "enabled: true", "enabled: false")
    assert normalized(server)
    code, answer = server.post("/v1/config/reload", b"")
    assert (code, answer) == (201, server.get("/v1/config")[1])
    assert not normalized(server)
    repository.edit("m", "enabled: false", "enabld: false")
    code, answer = server.post("/v1/config/reload", b"")
    assert code == 412
    assert "did you mean 'enabled'?" in answer["error"]
    assert (status(server)["state"], normalized(server)) == ("AVAILABLE", False)
    repository.config.write_text('{"model_config_list": [')
    code, answer = server.post("/v1/config/reload", b"")
    assert (code, "config.json:1:24: not JSON" in answer["error"]) == (412, True)
    assert "not JSON" in status(server)["error_message"]


@pytest.mark.parametrize(
    ("written", "changed"),
    [('version="11"', 'version="12"'), ('version="opset13"', 'version="opset99"')],
)
def test_a_model_of_a_newer_openvino_is_told_with_what_to_do(
    refusal: Callable[..., str], repository: Repository, written: str, changed: str
) -> None:
    repository.add("m")
    file = repository.folder / "m" / "openvino_model.xml"
    text = file.read_text()
    assert written in text
    file.write_text(text.replace(written, changed))
    error = refusal("--config_path", repository.config, "--rest_port", "0")
    assert "install that one, or export the model with this one" in error


def test_a_server_follows_its_files(
    launch: Callable[..., Any], repository: Repository, eventually: Callable[..., bool]
) -> None:
    repository.add("m")
    server = launch("--config_path", repository.config, "--rest_port", "0", *OFTEN)
    repository.edit("m", "enabled: true", "enabled: false")
    assert eventually(lambda: not normalized(server))
    shutil.copytree(repository.source, repository.folder / "n")
    repository.serve("m", "n")
    assert eventually(lambda: server.get("/v2/models/n/ready")[0] == 200)
    repository.serve("n")
    assert eventually(lambda: server.get("/v2/models/m/ready")[0] == 404)


@pytest.mark.parametrize(
    ("file", "broken", "words"),
    [
        ("openvino_model.bin", b"\0" * 1000, "openvino_model.xml"),
        ("openvino_model.xml", b"<net", "openvino_model.xml"),
        ("tokenizer.json", b'{"version"', "tokenizer.json"),
        ("canary.npz", b"PK", "canary.npz"),
    ],
)
def test_a_file_that_is_half_there_is_told_and_the_model_serves_on(
    launch: Callable[..., Any],
    repository: Repository,
    eventually: Callable[..., bool],
    file: str,
    broken: bytes,
    words: str,
) -> None:
    repository.add("m")
    server = launch("--config_path", repository.config, "--rest_port", "0", *OFTEN)
    before = server.embed("m", "hello world")
    path = repository.folder / "m" / file
    whole = path.read_bytes()
    path.write_bytes(broken)
    assert eventually(lambda: status(server)["error_code"] != "OK")
    assert words in status(server)["error_message"]
    np.testing.assert_allclose(server.embed("m", "hello world"), before, atol=5e-3)
    path.write_bytes(whole)
    assert eventually(lambda: status(server)["error_code"] == "OK")
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_reloads_under_load_lose_no_request(minilm: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.hot_reload", "--reloads", "20", "--broken", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
