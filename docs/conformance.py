"""Write docs/conformance.md: each rule of MediaPipe's framework beside the tests that show it.

python docs/conformance.py
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

DOCS = Path(__file__).parent
TESTS = DOCS.parent / "tests"
RULES = DOCS / "conformance.toml"
TABLE = DOCS / "conformance.md"

_IN_NAME = re.compile(r"test_((?:[a-z]{1,2}\d+_)+)")
_IN_DOCSTRING = re.compile(r"\b(?:[Cc]ase|[Rr]ule)s? ((?:[A-Z]{1,2}\d+(?:, | and )?)+)")
_NO_CASES = {"FP32"}
"""What a test's name may begin with and is no case."""
_ID = re.compile(r"[A-Z]{1,2}\d+")

_HEAD = """# What of MediaPipe's framework the runtime follows, and how that is shown

The rules are those of MediaPipe's `framework/`, read from its source. `python docs/conformance.py` writes this page;
a test keeps it true.
"""
_CASES = """
## Cases taken from MediaPipe's own tests
"""


def tests_by_id() -> Mapping[str, list[str]]:
    """The tests that name a rule or case, as `file::test`."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(TESTS.rglob("test_*.py")):
        for function in _tests(ast.parse(file.read_text("utf-8"))):
            for id in sorted(_ids(function)):
                found[id].append(f"{file.relative_to(TESTS).as_posix()}::{function.name}")
    return found


def _tests(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            yield node


def _ids(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    in_name = _IN_NAME.match(function.name)
    ids = set(in_name[1].upper().strip("_").split("_")) if in_name else set()
    for listed in _IN_DOCSTRING.findall(ast.get_docstring(function) or ""):
        ids.update(_ID.findall(listed))
    return ids


def table() -> str:
    """The page."""
    rules = tomllib.loads(RULES.read_text("utf-8"))
    tests = tests_by_id()
    lines = [_HEAD, "| rule | | tests |", "|---|---|---|"]
    lines += [_row(id, title, tests[id]) for id, title in rules["rules"].items()]
    lines += ["\n## Not supported\n", "| rule | what happens | tests |", "|---|---|---|"]
    lines += [_row(id, what, tests[id]) for id, what in rules["unsupported"].items()]
    lines += [_CASES, "| case | tests |", "|---|---|"]
    known = rules["rules"].keys() | rules["unsupported"].keys() | _NO_CASES
    lines += [f"| {id} | {_list(tests[id])} |" for id in sorted(tests.keys() - known)]
    return "\n".join(lines) + "\n"


def _row(id: str, title: str, tests: list[str]) -> str:
    return f"| {id} | {title} | {_list(tests)} |"


def _list(tests: list[str]) -> str:
    return "<br>".join(f"`{test}`" for test in tests)


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
