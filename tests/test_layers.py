"""Each folder leans only on the ones below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EVERYTHING = {"proto", "runtime", "calculators", "servers", "tools", "graphs"}
LEANS_ON = {
    "proto": set(),
    "runtime": {"proto"},
    "calculators": {"runtime", "proto"},
    "servers": {"runtime", "proto"},
    "tools": EVERYTHING,
    "pyovms": set(),
}
DOES_IO = {"aiohttp", "grpc", "openvino", "openvino_tokenizers", "tokenizers"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module
            case ast.Import(names=aliases):
                yield from ((node.lineno, alias.name) for alias in aliases)


@pytest.mark.parametrize("folder", LEANS_ON)
def test_a_folder_imports_only_what_lies_below_it(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for line, name in imports(path):
            top, _, rest = name.partition(".")
            where = f"{path.relative_to(ROOT)}:{line}: {name}"
            assert top not in EVERYTHING, f"{where} (write calcgraph.{name})"
            if top == "calcgraph":
                assert rest.split(".")[0] in LEANS_ON[folder] | {folder}, where


def test_the_runtime_does_no_input_or_output_of_its_own() -> None:
    for path in (ROOT / "runtime").rglob("*.py"):
        for line, name in imports(path):
            assert name.partition(".")[0] not in DOES_IO, f"{path.relative_to(ROOT)}:{line}: {name}"


def test_no_module_is_named_after_the_library_it_wraps() -> None:
    for folder in EVERYTHING:
        for path in (ROOT / folder).rglob("*.py"):
            assert path.stem not in DOES_IO, path
