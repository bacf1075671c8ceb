"""MediaPipe 0.10.21 itself, in an environment of its own: build/mediapipe, or $MEDIAPIPE_PYTHON."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("MEDIAPIPE_PYTHON", ROOT / "build" / "mediapipe" / "bin" / "python"))
ORACLES = Path(__file__).parent / "oracles"

Oracle = Callable[[str, list[Any]], list[Any]]


@pytest.fixture(scope="session")
def mediapipe() -> Oracle:
    """Calls an oracle, a script of `oracles/` that answers a list of questions with a list of answers."""
    if not PYTHON.exists():
        pytest.skip(f"there is no MediaPipe: {PYTHON} does not exist")

    def ask(oracle: str, questions: list[Any]) -> list[Any]:
        done = subprocess.run(
            [PYTHON, ORACLES / f"{oracle}.py"],
            input=json.dumps(questions),
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answers: list[Any] = json.loads(done.stdout.splitlines()[-1])
        return answers

    return ask
