"""The image's recipe, read by a linter since no container engine runs here."""

import re
import subprocess
import sys
from pathlib import Path

LINTER = Path(sys.executable).parent / "hadolint"


def lint(file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([LINTER, file], capture_output=True, text=True, timeout=60)


def test_the_linter_has_nothing_to_say(deploy: Path) -> None:
    done = lint(deploy / "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_finds_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM python\nRUN cd / && pip install x\nUSER root\n")
    assert lint(file).returncode != 0


def test_the_last_stage_runs_as_nobody_and_is_watched(deploy: Path) -> None:
    last = (deploy / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.M)
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD .*/livez", last, re.M)
    assert "pip install" not in last


def test_no_image_is_taken_from_a_named_registry(deploy: Path) -> None:
    for file in deploy.rglob("*"):
        if file.is_file():
            for image in re.findall(r"(?:image:|FROM) +([^\s$]+)", file.read_text()):
                assert "." not in image.partition("/")[0].partition(":")[0], (file, image)


def test_all_that_the_package_is_built_from_is_in_the_context(deploy: Path) -> None:
    allowed = set(re.findall(r"^!(\S+)$", (deploy / "Dockerfile.dockerignore").read_text(), re.M))
    project = (deploy.parent / "pyproject.toml").read_text()
    folders = re.findall(r'^"calcgraph\.\w+" = "(\w+)"$', project, re.M)
    assert folders
    assert set(folders) | {"pyproject.toml", "README.md", "LICENSE"} <= allowed
