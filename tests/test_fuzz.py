"""What fuzzing found once stays mended, and every shape of input that it knows is read or refused."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("benchmarks.fuzz.targets", reason="run from the root: python -m pytest")

from benchmarks.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[1]
CORPUS = sorted((ROOT / "tests" / "data" / "fuzz").glob("*/*"))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_the_fuzzer_knows_is_read_or_refused(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())


def test_every_target_has_a_corpus() -> None:
    assert {file.parent.name for file in CORPUS} == set(TARGETS)


@pytest.mark.slow
def test_a_minute_of_fuzzing_finds_nothing() -> None:
    pytest.importorskip("atheris")
    command = [sys.executable, "-m", "benchmarks.fuzz", "--seconds", "15"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
