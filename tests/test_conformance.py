"""The page of rules is true: each has a test, and the page lists them all."""

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def conformance() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance", DOCS / "conformance.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_has_a_test_that_names_it(conformance: ModuleType) -> None:
    page = tomllib.loads((DOCS / "conformance.toml").read_text())
    named = conformance.tests_by_id()
    assert [rule for rule in page["rules"] if rule not in named] == []
    # What cannot be named anywhere has nothing to test.
    assert [rule for rule in page["unsupported"] if rule not in named] == ["F6"]


def test_every_case_has_a_test_that_names_it(conformance: ModuleType) -> None:
    cases = tomllib.loads((DOCS / "conformance.toml").read_text())["cases"]
    assert len(cases) == 73
    assert set(cases) <= conformance.tests_by_id().keys()


def test_the_page_of_rules_is_up_to_date(conformance: ModuleType) -> None:
    assert conformance.TABLE.read_text() == conformance.table(), "run python docs/conformance.py"
