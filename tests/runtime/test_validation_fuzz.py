"""Whatever is wrong with a graph, the answer is a plan or a GraphError with places in the file."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calcgraph.runtime.canonical import config_text
from calcgraph.runtime.config import GraphConfig, read_graph
from calcgraph.runtime.errors import GraphError
from calcgraph.runtime.show import as_mermaid, as_text, diagram
from calcgraph.runtime.show_svg import as_svg
from calcgraph.runtime.validation import plan_graph

GRAPHS = Path(__file__).parents[2] / "graphs"
SHIPPED = sorted(GRAPHS.glob("*.pbtxt"))
TOKEN = re.compile(r'"[^"]*"|\w+|[^\s\w]|\s+')

NAMES = st.sampled_from(["a", "b", "c", "A:a", "A:1:b", "B:c", "A:2:c", "", "A", "x:y:z:w", "_:_"])
CALCULATORS = st.sampled_from(
    ["PassThroughCalculator", "HttpInput", "Pooling", "EmbeddingsCalculatorOV", "Nobody", "G", ""]
)
OPTIONS = st.sampled_from(
    [
        "",
        "[x/calcgraph.PoolingOptions] { pooling: LAST }",
        "[x/calcgraph.PoolingOptions] { pooling: }",
        "[x/google.protobuf.Struct] { a: [1, {b: 2}] }",
        "[x/a.B] { }",
        'type_url: "x/calcgraph.PoolingOptions" value: "\\377"',
        '[x/mediapipe.EmbeddingsCalculatorOVOptions] { models_path: "./" }',
    ]
)
EXTRAS = st.sampled_from(
    [
        'input_stream_info { tag_index: "A" back_edge: true }',
        "input_stream_handler { }",
        'input_stream_handler { input_stream_handler: "SyncSetInputStreamHandler" }',
        'executor: "e"',
        "max_in_flight: 3",
        'option_value: "a:b"',
        'option_value: "OPTIONS:OPTIONS"',
        "source_layer: -1",
        'external_input: "x"',
        'name: "A b"',
    ]
)


@st.composite
def nodes(draw):
    fields = [f'calculator: "{draw(CALCULATORS)}"']
    for field in ("input_stream", "output_stream", "input_side_packet", "output_side_packet"):
        fields += [f'{field}: "{name}"' for name in draw(st.lists(NAMES, max_size=3))]
    if options := draw(OPTIONS):
        fields.append(f"node_options {{ {options} }}")
    fields += draw(st.lists(EXTRAS, max_size=2, unique=True))
    return "node { " + "\n".join(fields) + " }"


@st.composite
def graphs(draw):
    parts = draw(st.lists(nodes(), max_size=5))
    for field in ("input_stream", "output_stream"):
        parts += [f'{field}: "{name}"' for name in draw(st.lists(NAMES, max_size=2))]
    parts += draw(
        st.lists(st.sampled_from(["num_threads: 2", "executor { }", 'package: "p"']), max_size=2)
    )
    return "\n".join(parts)


def check(text, *subgraphs):
    """Plan a graph; what is refused is refused inside the text."""
    try:
        plan = plan_graph(read_graph(text, "g"), subgraphs=subgraphs)
    except GraphError as error:
        lines = text.split("\n")
        for problem in error.problems:
            if problem.location.file == "g" and problem.location.line:
                assert problem.location.line <= len(lines)
                assert problem.location.column <= len(lines[problem.location.line - 1]) + 1
    else:
        again = plan_graph(read_graph(config_text(plan.config)))
        assert again.config == plan.config


@settings(max_examples=150, deadline=None)
@given(graphs(), graphs())
def test_a_random_graph_is_planned_or_refused(text, inner):
    check(text, f'type: "G"\n{inner}')


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_a_random_graph_can_be_drawn(text):
    try:
        picture = diagram(read_graph(text))
    except GraphError:
        return
    assert as_text(picture)
    assert as_mermaid(picture)
    assert as_svg(picture)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_graph_is_planned_or_refused(path, data):
    tokens = TOKEN.findall(path.read_text())
    at = data.draw(st.integers(0, len(tokens) - 1))
    other = data.draw(st.integers(0, len(tokens) - 1))
    match data.draw(st.sampled_from(["drop", "double", "swap", "misspell", "cut"])):
        case "drop":
            del tokens[at]
        case "double":
            tokens.insert(at, tokens[at])
        case "swap":
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case "misspell":
            tokens[at] = tokens[at][:-2] + tokens[at][-1:]
        case "cut":
            del tokens[at:]
    check("".join(tokens))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_binary_graph_or_refused(data):
    try:
        config = GraphConfig.from_binary(data)
        plan_graph(config)
    except GraphError:
        pass
