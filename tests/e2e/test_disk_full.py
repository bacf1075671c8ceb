"""A disk that is full takes logs and caches away, and no request."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calcgraph.tools.published_model import DEFAULT_MODEL

NAME = DEFAULT_MODEL.name


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system without a free byte."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a file system can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))


def test_a_log_that_cannot_be_written_fails_no_request(
    minilm: Path, launch: Any, full_disk: Path
) -> None:
    log = full_disk / "server.log"
    flags = ["--model_name", NAME, "--model_path", minilm, "--rest_port", "0"]
    server = launch("serve", *flags, "--log_path", log, "--log_level", "DEBUG")
    fill(full_disk)
    size = log.stat().st_size
    for _ in range(20):
        assert server.embed(NAME, "still here").shape == (1, 384)
        assert server.post("/v3/embeddings", {"model": NAME, "input": []})[0] == 400
    assert log.stat().st_size <= size + 4096, "the log could be written: the disk was not full"
    (full_disk / "filler").unlink()
    server.embed(NAME, "and with room again")
    server.process.terminate()
    assert server.process.wait(20) == 0


def test_a_cache_that_cannot_be_written_keeps_no_model_from_serving(
    minilm: Path, launch: Any, full_disk: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(minilm, model, copy_function=os.link)
    graph = model / "graph.pbtxt"
    cached, count = re.subn(
        r"plugin_config: *'[^']*'",
        f'plugin_config: \'{{"CACHE_DIR": "{full_disk}"}}\'',
        graph.read_text(),
    )
    assert count == 1
    graph.unlink()
    graph.write_text(cached)
    fill(full_disk)
    server = launch("serve", "--model_name", NAME, "--model_path", model, "--rest_port", "0")
    assert server.embed(NAME, "hello").shape == (1, 384)
