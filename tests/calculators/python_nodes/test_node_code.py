"""Files of Python nodes: where they may lie, and what they must hold."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from calcgraph.calculators.python_nodes.node_code import NodeCode, code_file
from pyovms import Tensor

KEEPS_WHAT_IT_IS_TOLD = """
from dataclasses import dataclass

import beside

@dataclass
class Told:
    kwargs: dict

class OvmsPythonModel:
    finalized = []

    def initialize(self, kwargs):
        self.told = Told(kwargs)

    def execute(self, inputs):
        return [beside.WORD, self.told.kwargs, [tensor.name for tensor in inputs]]

    def finalize(self):
        self.finalized.append(self.told.kwargs["node_name"])
"""

Load = Callable[..., NodeCode]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write(code: str, name: str = "model.py") -> NodeCode:
        file = tmp_path / name
        file.write_text(code)
        return NodeCode.load(file, "node", ["a", "b"], ["c"])

    return write


@pytest.fixture(autouse=True)
def same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that a test adds to the search path go with it, and modules found there too."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "beside", raising=False)


def test_the_class_is_told_its_node_and_may_import_what_lies_beside_it(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "beside.py").write_text("WORD = 'found'")
    code = load(KEEPS_WHAT_IT_IS_TOLD)
    assert code.execute([Tensor("a", b"")]) == [
        "found",
        {
            "node_name": "node",
            "input_names": ["a", "b"],
            "output_names": ["c"],
            "base_path": str(tmp_path),
        },
        ["a"],
    ]


def test_finalize_is_called_once_at_the_end_and_may_fail(
    load: Load, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "beside.py").write_text("WORD = ''")
    code = load(KEEPS_WHAT_IT_IS_TOLD)
    model = code._model
    code.close()
    assert model.finalized == ["node"]
    failing = "class OvmsPythonModel:\n def execute(self, i): ...\n def finalize(self): 1 / 0"
    load(failing).close()
    assert "finalize failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_two_files_of_one_name_are_two_modules(tmp_path: Path) -> None:
    found = []
    for word in ("one", "two"):
        file = tmp_path / word / "model.py"
        file.parent.mkdir()
        file.write_text(f"class OvmsPythonModel:\n def execute(self, inputs): return ['{word}']")
        found.append(NodeCode.load(file, "node", [], []))
    assert [code.execute([]) for code in found] == [["one"], ["two"]]


def test_a_file_that_changed_within_the_same_second_is_read_anew(tmp_path: Path) -> None:
    file, found = tmp_path / "model.py", []
    for word in ("one", "two"):
        file.write_text(
            f"class OvmsPythonModel:\n def execute(self, inputs): return ['{word}', __file__]"
        )
        os.utime(file, (0, 0))
        found.append(NodeCode.load(file, "node", [], []).execute([]))
    assert found == [["one", str(file)], ["two", str(file)]]
    assert not (tmp_path / "__pycache__").exists()


def test_initialize_and_finalize_may_be_left_out(load: Load) -> None:
    code = load("class OvmsPythonModel:\n def execute(self, inputs): return []")
    assert code.execute([]) == []
    code.close()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_module_anywhere", "cannot be imported: ModuleNotFoundError: No module"),
        ("class OvmsPythonModel:", "cannot be imported: IndentationError: "),
        ("x = 1", "expected a class OvmsPythonModel with the method execute"),
        ("class OvmsPythonModel: pass", "expected a class OvmsPythonModel with the method execute"),
        (
            "class OvmsPythonModel:\n"
            " def initialize(self, kwargs): kwargs['gone']\n"
            " def execute(self, inputs): ...",
            "OvmsPythonModel.initialize failed: KeyError: 'gone'",
        ),
    ],
)
def test_code_that_does_not_load_is_told_with_its_file(
    load: Load, code: str, message: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = set(sys.modules)
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError) as refused:
        load(code)
    assert message in str(refused.value)
    assert str(tmp_path / "model.py") in str(refused.value)
    assert not {name for name in sys.modules if "__calcgraph_" in name} - before


def test_code_lies_in_the_folder_of_the_model_or_of_its_graph(tmp_path: Path) -> None:
    model, graph = tmp_path / "model", tmp_path / "graph"
    for file in (model / "model.py", model / "sub" / "model.py", graph / "other.py"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert code_file("model.py", model, graph) == model / "model.py"
    assert code_file("sub/model.py", model, graph) == model / "sub/model.py"
    assert code_file(str(graph / "other.py"), model, graph) == graph / "other.py"


@pytest.mark.parametrize("way_out", ["../elsewhere.py", "{}/elsewhere.py", "link.py"])
def test_code_elsewhere_is_not_run(way_out: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").touch()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "link.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(ValueError, match="lies outside of the model's folder"):
        code_file(way_out.format(tmp_path), tmp_path / "model", tmp_path / "model")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.py: there is no such file"):
        code_file("gone.py", tmp_path, tmp_path)
