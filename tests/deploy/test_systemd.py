"""The unit, read by systemd itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ANALYZE = shutil.which("systemd-analyze")
pytestmark = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
PROGRAM = "/opt/calcgraph/bin/calcgraph"


def verify(unit: str, folder: Path) -> str:
    file = folder / "calcgraph.service"
    file.write_text(unit.replace(PROGRAM, str(Path(sys.executable).parent / "calcgraph")))
    assert ANALYZE is not None
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", file], capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


def test_systemd_has_nothing_to_say(deploy: Path, tmp_path: Path) -> None:
    unit = (deploy / "systemd" / "calcgraph.service").read_text()
    assert PROGRAM in unit
    assert "calcgraph.service" not in verify(unit, tmp_path)


def test_systemd_finds_a_mistake(deploy: Path, tmp_path: Path) -> None:
    unit = (deploy / "systemd" / "calcgraph.service").read_text()
    wrong = unit.replace("Restart=on-failure", "Restart=sometimes")
    assert "calcgraph.service" in verify(wrong, tmp_path)
