"""calcgraph graph check|show."""

from pathlib import Path

import pytest

from calcgraph.runtime.config import read_graph
from calcgraph.servers.__main__ import main

GRAPHS = Path(__file__).parents[2] / "graphs"
NODES = """
from calcgraph.runtime.calculator import Calculator
class GraphCommandEcho(Calculator):
    inputs = {"": object}
    outputs = {"": object}
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """A file of calculators; a name can be registered once in a process, so once for all tests."""
    path = tmp_path_factory.mktemp("nodes") / "nodes.py"
    path.write_text(NODES)
    assert (
        main(["graph", "check", str(GRAPHS / "embeddings.pbtxt"), "--calculators", str(path)]) == 0
    )
    return path


def write(tmp_path, text, name="g.pbtxt"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", ["embeddings.pbtxt", "embeddings_ovms.pbtxt"])
def test_check_prints_the_canonical_form_of_a_graph_that_ships(name, capsys):
    assert main(["graph", "check", str(GRAPHS / name)]) == 0
    canonical = read_graph(capsys.readouterr().out)
    assert [node.calculator for node in canonical.proto.node] == [
        *("HttpInput", "Tokenizer", "EmbeddingsCalculatorOV"),
        *("Pooling", "Normalize", "Serializer"),
    ]


def test_check_can_be_quiet(capsys):
    assert main(["graph", "check", "--quiet", str(GRAPHS / "embeddings.pbtxt")]) == 0
    assert capsys.readouterr().out == ""


def test_check_reports_all_mistakes_at_once(tmp_path, capsys):
    path = write(tmp_path, 'node { calculator: "Poolin" }\nnode { calculator: "Tokeniser" }')
    assert main(["graph", "check", path]) == 1
    assert capsys.readouterr().err == (
        f"{path}:1:8: Unable to find Calculator \"Poolin\"; did you mean 'Pooling'?\n"
        f"{path}:2:8: Unable to find Calculator \"Tokeniser\"; did you mean 'Tokenizer'?\n"
        f"{path}: 2 mistakes\n"
    )


def test_check_prints_warnings(tmp_path, capsys, nodes):
    path = write(
        tmp_path,
        'input_stream: "x" node { calculator: "GraphCommandEcho" input_stream: "x" output_stream: "y"\n'
        'input_stream_info { tag_index: "" back_edge: true } }',
    )
    assert main(["graph", "check", path]) == 0
    assert f"warning: {path}:1:57: input stream 'x'" in capsys.readouterr().err


def test_subgraphs_are_given_as_files(tmp_path, capsys, nodes):
    inner = write(
        tmp_path,
        'type: "Inner" input_stream: "i" output_stream: "o"'
        'node { calculator: "GraphCommandEcho" input_stream: "i" output_stream: "o" }',
        "inner.pbtxt",
    )
    outer = write(
        tmp_path,
        'input_stream: "x" node { calculator: "Inner" input_stream: "x" output_stream: "y" }',
    )
    assert main(["graph", "check", outer, "--subgraph", inner]) == 0
    assert 'name: "inner__GraphCommandEcho"' in capsys.readouterr().out
    assert main(["graph", "show", outer, "--subgraph", inner, "--fold"]) == 0
    assert "inner__" not in capsys.readouterr().out
    assert main(["graph", "show", outer, "--subgraph", inner, "--fold-only", "Inner"]) == 0
    assert "inner__" not in capsys.readouterr().out
    assert main(["graph", "show", outer, "--subgraph", inner, "--fold-only", "Other"]) == 0
    assert "inner__" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("form", "beginning"), [("text", "g"), ("mermaid", "flowchart TD"), ("svg", "<svg ")]
)
def test_show_draws_a_graph_of_calculators_nobody_has(tmp_path, capsys, form, beginning):
    path = write(tmp_path, 'node { calculator: "Nobody" }')
    target = tmp_path / "drawing"
    assert main(["graph", "show", path, "--format", form]) == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith(path if form == "text" else beginning)
    assert "Nobody" in drawn
    assert main(["graph", "show", path, "--format", form, "--output", str(target)]) == 0
    assert target.read_text() == drawn


def test_a_file_that_is_not_there_is_one_sentence(tmp_path, capsys):
    path = tmp_path / "gone.pbtxt"
    assert main(["graph", "check", str(path)]) == 1
    assert (
        capsys.readouterr().err == f"calcgraph: {path} cannot be read: No such file or directory\n"
    )
