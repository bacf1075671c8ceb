"""Every name that pyproject.toml gives a core calculator leads to one."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from calcgraph.calculators.core.base import CoreCalculator
from calcgraph.runtime.registry import GROUP, REGISTRY

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
NAMES = {
    name: target
    for name, target in tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"][
        GROUP
    ].items()
    if target.startswith("calcgraph.calculators.core.")
}


@pytest.mark.parametrize(("name", "target"), NAMES.items(), ids=NAMES)
def test_a_name_leads_to_a_calculator(name, target):
    found = EntryPoint(name, target, GROUP).load()
    assert issubclass(found, CoreCalculator)
    assert found.__doc__
    entry = REGISTRY.find(name)
    assert entry is not None, f"{name} is not installed: install the project again"
    assert entry.load() is found


def test_every_core_calculator_has_its_name():
    classes = {EntryPoint(name, target, GROUP).load() for name, target in NAMES.items()}
    assert {found.__name__ for found in classes} <= set(NAMES)
