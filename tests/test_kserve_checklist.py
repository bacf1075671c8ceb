"""The page of what KServe's clients depend on is true: each line has a test, and the page lists them all."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def checklist() -> ModuleType:
    spec = importlib.util.spec_from_file_location("checklist", DOCS / "kserve_checklist.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_line_has_a_test_and_every_named_line_exists(checklist: ModuleType) -> None:
    ids = [id for part in checklist.lines().values() for id in part]
    assert len(ids) == len(set(ids))
    assert set(checklist.tests_by_id()) == set(ids)


def test_the_page_is_up_to_date(checklist: ModuleType) -> None:
    assert checklist.TABLE.read_text() == checklist.table(), "run python docs/kserve_checklist.py"
