"""Write docs/kserve_checklist.md: what clients of KServe v2 depend on, each line beside its tests.

python docs/kserve_checklist.py
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
LINES = DOCS / "kserve_checklist.toml"
TABLE = DOCS / "kserve_checklist.md"

_NAMED = re.compile(r"\bKServe ((?:[A-Z]\d+(?:,\s+)?)+)")
_ID = re.compile(r"[A-Z]\d+")
_HEAD = """# What clients of KServe v2 depend on, and the test of each

Lines tell what this server does; where OVMS does otherwise it is said. The clients in `tests/e2e` are real:
tritonclient (http, grpc, both aio), the kserve SDK, and one that knows the server by reflection only, each in an
environment of its own. `python docs/kserve_checklist.py` writes this page; a test keeps it true.
"""


def lines() -> Mapping[str, Mapping[str, str]]:
    """The lines of each part by their id."""
    parts = tomllib.loads(LINES.read_text("utf-8"))["part"]
    return {part["title"]: {id: t for id, t in part.items() if id != "title"} for part in parts}


def tests_by_id() -> Mapping[str, list[str]]:
    """The tests that name a line, as `file::test`."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(TESTS.rglob("test_*.py")):
        for function in _tests(ast.parse(file.read_text("utf-8"))):
            for named in _NAMED.findall(ast.get_docstring(function) or ""):
                for id in _ID.findall(named):
                    found[id].append(f"{file.relative_to(TESTS).as_posix()}::{function.name}")
    return found


def _tests(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def table() -> str:
    """The page."""
    tests = tests_by_id()
    page = [_HEAD]
    for title, part in lines().items():
        page += [f"## {title}\n", "| line | | tests |", "|---|---|---|"]
        for id, text in part.items():
            listed = "<br>".join(f"`{test}`" for test in tests[id])
            page.append(f"| {id} | {text} | {listed} |")
        page.append("")
    return "\n".join(page)


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
