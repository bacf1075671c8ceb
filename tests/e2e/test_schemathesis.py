"""The OpenAPI document is true: schemathesis finds no answer that it does not tell of."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parent / "schemathesis.toml"
FEWEST_CASES = 1000


@pytest.mark.slow
def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(
    server: Any, client_python: Callable[[str, Sequence[str]], Path], tmp_path: Path
) -> None:
    python = client_python("schemathesis", ["schemathesis"])
    # A fixed seed, so that a failure is found again; everything else is its default run.
    command = [
        python.parent / "schemathesis",
        "--no-color",
        f"--config-file={CONFIG}",
        "run",
        f"http://{server.rest}/openapi.json",
        "--seed=1",
        "--continue-on-failure",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-20_000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested and int(tested[1]) == len(operations(server)), done.stdout
    cases = re.search(r"(\d+) generated", done.stdout)
    assert cases and int(cases[1]) > FEWEST_CASES, done.stdout
    assert server.get("/v2/health/ready")[0] == 200


def operations(server: Any) -> Sequence[str]:
    _, document = server.get("/openapi.json")
    return [
        f"{method} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    ]
