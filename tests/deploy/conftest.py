"""The files of deploy/."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parent.parent.parent / "deploy"


@pytest.fixture(scope="session")
def deploy() -> Path:
    return DEPLOY


@pytest.fixture(scope="session")
def load() -> Any:
    """One YAML file of deploy/, by its path there."""
    return lambda path: yaml.safe_load((DEPLOY / path).read_text())


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of `calcgraph` in deploy/, with the file that it stands in."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    (listed,) = re.findall(r'^CMD (\["serve".*?\])', dockerfile, re.S | re.M)
    yield "Dockerfile", yaml.safe_load(listed.replace("\\\n", ""))
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    yield "compose.yaml", compose["services"]["calcgraph"]["command"]
    unit = (DEPLOY / "systemd" / "calcgraph.service").read_text().replace("\\\n", "")
    (line,) = re.findall(r"^ExecStart=/opt/calcgraph/bin/calcgraph (.*)$", unit, re.M)
    yield "calcgraph.service", line.split()
    deployment = yaml.safe_load((DEPLOY / "kustomize" / "deployment.yaml").read_text())
    yield "deployment.yaml", deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    runtime = yaml.safe_load((DEPLOY / "kserve" / "serving_runtime.yaml").read_text())
    yield "serving_runtime.yaml", runtime["spec"]["containers"][0]["args"]
