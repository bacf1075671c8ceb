"""The served side of a comparison: a server of our own on the model's folder, or one that runs already."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from calcgraph.calculators import canary
from calcgraph.tools.errors import PreparationError

_READY: Final = re.compile(r"calcgraph \S+ ready: REST (http://\S+)?, models: ")
_LOADING_S: Final = 600
_ENDING_S: Final = 30


class NotServed(PreparationError):
    """The model does not load; the message is the server's own."""


@contextmanager
def served(folder: Path, graph: Path, name: str) -> Iterator[str]:
    """The address of a server with the one model, e.g. http://127.0.0.1:8000; it ends with the block.

    The canary is left out: whatever is wrong with the model is to be found by name. Raises NotServed.
    """
    with tempfile.TemporaryDirectory(prefix="calcgraph-verify-") as place:
        for path in folder.iterdir():
            if path.name not in (canary.FILE, graph.name):
                (Path(place) / path.name).symlink_to(path.resolve())
        (Path(place) / "graph.pbtxt").symlink_to(graph.resolve())
        command = [sys.executable, "-m", "calcgraph.servers", "serve", "--rest_port", "0"]
        log = Path(place) / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*command, "--model_name", name, "--model_path", place, "--log_level", "ERROR"],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            yield _address(process, log)
        finally:
            _end(process)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    timer = threading.Timer(_LOADING_S, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
    finally:
        timer.cancel()
    ready = _READY.match(line)
    if ready is None:
        process.wait()
        said = log.read_text(errors="replace").strip().replace("calcgraph: ", "", 1)
        raise NotServed(said or f"the server ended with status {process.returncode}")
    return ready[1]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
