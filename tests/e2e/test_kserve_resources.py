"""The resources of deploy/kserve, read by the classes of KServe's own package."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT

CHECK = Path(__file__).parent / "clients" / "kserve_classes.py"


@pytest.mark.slow
@pytest.mark.parametrize("file", ["serving_runtime.yaml", "inference_service.yaml"])
def test_kserves_classes_know_every_key(
    client_python: Callable[[str, Sequence[str]], Path], file: str
) -> None:
    resource = yaml.safe_load((ROOT / "deploy" / "kserve" / file).read_text())
    python = client_python("kserve", ["kserve==0.21.0"])

    def unknown() -> str:
        given = json.dumps(resource)
        done = subprocess.run(
            [python, CHECK], input=given, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    assert unknown() == "[]"
    resource["spec"]["nonsense"] = 1
    assert "nonsense" in unknown()
