"""What docs/conformance.md calls not supported is refused where a graph names it, and is nowhere half there."""

import pytest
from trial import node

from calcgraph.runtime.errors import Code, GraphError
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            'packet_generator { packet_generator: "G" }\n packet_factory { packet_factory: "F" }',
            {"1:1": "packet_generator; ", "2:2": "packet_factory; "},
        ),
        ('num_threads: 1\n status_handler { status_handler: "S" }', {"2:2": "status_handler; "}),
        (
            'node {\n calculator: "PassThroughCalculator"\n external_input: "x" }',
            {"3:2": "external_input; "},
        ),
        (
            'config {\n node { calculator: "%kind%" } }\nrule { op: "literal" }',
            {"1:1": "'config' of a Cal", "3:1": "'rule' of a Cal"},
        ),
        (
            'node {\n calculator: "PassThroughCalculator"\n'
            "  options { [mediapipe.TemplateSubgraphOptions.ext] { dict {} } } }",
            {"3:13": "TemplateSubgraphOptions; "},
        ),
    ],
    ids=["packets", "status", "external input", "template", "options of a template"],
)
def test_it_is_refused_at_its_line(text, problems):
    """Rules K6, K7, G8."""
    with pytest.raises(NotImplementedError) as failure:
        CalculatorGraph(graph_config=text)
    assert isinstance(failure.value, GraphError)
    found = {
        f"{problem.location.line}:{problem.location.column}": problem.message
        for problem in failure.value.problems
        if problem.code == Code.UNIMPLEMENTED
    }
    assert found.keys() == problems.keys()
    for place, what in problems.items():
        assert found[place].startswith(f"not supported: {what}")


def test_the_text_of_a_template_is_no_graph():
    """Rule G8."""
    with pytest.raises(GraphError, match="<graph>:2:13: found '%'"):
        CalculatorGraph(graph_config="node {\ncalculator: %kind% }")


def test_inside_a_subgraph_it_is_refused_too():
    """Rule K6."""
    inner = 'type: "Inner"\n' + node("PassThroughCalculator") + "packet_generator { }\n"
    with pytest.raises(GraphError, match="not supported: packet_generator"):
        CalculatorGraph(graph_config=node("Inner"), subgraphs=[inner])


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        pytest.param(CalculatorGraph, ["pause", "resume"], id="A13"),
        pytest.param(Packet, ["consume", "consume_or_copy"], id="P5"),
    ],
)
def test_what_only_code_could_ask_for_is_not_there(kind, names):
    """Rules A13, P5."""
    for name in names:
        with pytest.raises(AttributeError):
            getattr(kind, name)
