"""Nodes that stand for graphs (rules G1 to G7, R3, cases SG1, SG2, SG3)."""

import pytest

from calcgraph.proto import graph_pb2
from calcgraph.proto.core_calculators_pb2 import (
    PacketThinnerCalculatorOptions,
    SwitchContainerOptions,
)
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import GraphConfig, read_graph
from calcgraph.runtime.contract import optional
from calcgraph.runtime.errors import Code, GraphError
from calcgraph.runtime.registry import Registry
from calcgraph.runtime.validation import plan_graph, plan_graphs


class PassThroughCalculator(Calculator):
    options = PacketThinnerCalculatorOptions

    @classmethod
    def contract(cls, contract):
        for key in contract.inputs:
            contract.outputs[key].set_same_as(contract.inputs[key].set_any())
        for key in contract.input_side_packets:
            contract.input_side_packets[key].set_any()
        for key in contract.output_side_packets:
            contract.output_side_packets[key].set_any()


class Join(Calculator):
    inputs = {
        "": optional(object),
        ":1": optional(object),
        ":2": optional(object),
        "T": optional(object),
    }
    outputs = {"": object}
    input_side_packets = {"S": optional(object)}


class Twice(Calculator):
    """A class subgraph: as many PassThrough nodes in a row as its options say."""

    options = PacketThinnerCalculatorOptions

    @classmethod
    def expand(cls, context):
        if not context.options.HasField("period"):
            return None
        if context.options.period < 0:
            raise ValueError("a negative chain")
        config = graph_pb2.CalculatorGraphConfig(input_stream=["s0"])
        for step in range(context.options.period):
            node = config.node.add(calculator="PassThroughCalculator")
            node.input_stream.append(f"s{step}")
            node.output_stream.append(f"s{step + 1}")
        config.output_stream.append(f"s{context.options.period}")
        return config

    inputs = {"": object}
    outputs = {"": object}


class FromFile(Calculator):
    @classmethod
    def expand(cls, context):
        return read_graph("node {\n calculator: 'Missing' }", "inner.pbtxt")


class Endless(Calculator):
    @classmethod
    def expand(cls, context):
        return 'node { calculator: "Endless" }'


PASS_GRAPH = """
    type: "PassThroughGraph"
    input_stream: "INPUT:stream_1"
    output_stream: "OUTPUT:stream_2"
    node {
      calculator: "PassThroughCalculator"
      input_stream: "stream_1"
      output_stream: "stream_2"
    }
"""
OPTIONS = "type.googleapis.com/mediapipe.PacketThinnerCalculatorOptions"

REGISTRY = Registry()
for calculator in (PassThroughCalculator, Join, Twice, FromFile, Endless):
    REGISTRY.register(calculator.__name__, calculator)


def plan(text, *subgraphs):
    return plan_graph(read_graph(text, "g.pbtxt"), registry=REGISTRY, subgraphs=subgraphs)


def expanded(text, *subgraphs):
    """name: (inputs, outputs) of every node."""
    return {
        node.name: (list(node.input_stream), list(node.output_stream))
        for node in plan(text, *subgraphs).config.node
    }


def error(text, *subgraphs):
    with pytest.raises(GraphError) as caught:
        plan(text, *subgraphs)
    return caught.value


def test_g1_g3_sg1_a_node_that_names_a_graph_is_replaced_by_its_nodes():
    config = plan(
        """
        input_stream: "INPUT:stream_1"
        output_stream: "OUTPUT:stream_2"
        node {
          calculator: "PassThroughGraph"
          input_stream: "INPUT:stream_1"
          output_stream: "OUTPUT:stream_2"
        }
        """,
        PASS_GRAPH,
    ).config
    assert config == graph_pb2.CalculatorGraphConfig(
        input_stream=["INPUT:stream_1"],
        output_stream=["OUTPUT:stream_2"],
        node=[
            graph_pb2.CalculatorGraphConfig.Node(
                name="passthroughgraph__PassThroughCalculator",
                calculator="PassThroughCalculator",
                input_stream=["stream_1"],
                output_stream=["stream_2"],
            )
        ],
        executor=[graph_pb2.ExecutorConfig()],
    )


def test_g1_ordinary_nodes_come_first_and_keep_their_order():
    text = """
        input_stream: "a"
        node { name: "x" calculator: "PassThroughGraph" input_stream: "INPUT:a" output_stream: "OUTPUT:b" }
        node { name: "y" calculator: "PassThroughCalculator" input_stream: "a" output_stream: "c" }
        node { name: "z" calculator: "PassThroughCalculator" input_stream: "a" output_stream: "d" }
    """
    assert list(expanded(text, PASS_GRAPH)) == ["y", "z", "x__PassThroughCalculator"]


def test_g3_sg3_inner_names_get_a_prefix_and_interface_names_the_callers():
    inner = """
        type: "Inner"
        input_stream: "in" output_stream: "out" input_side_packet: "S:side"
        node { name: "first" calculator: "PassThroughCalculator" input_stream: "in" output_stream: "mid" }
        node { calculator: "Join" input_stream: "mid" output_stream: "out" input_side_packet: "S:side" }
        node { calculator: "Join" input_stream: "mid" output_stream: "rest" input_side_packet: "S:own" }
    """
    text = """
        input_stream: "foo"
        node { name: "My Sub.Graph:1" calculator: "Inner" input_stream: "foo" output_stream: "bar"
               input_side_packet: "S:baz" }
    """
    graph = plan(text, inner)
    nodes = {
        node.name: (list(node.input_stream), list(node.output_stream), list(node.input_side_packet))
        for node in graph.config.node
    }
    prefix = "my_sub_graph_1__"
    assert nodes == {
        f"{prefix}first": (["foo"], [f"{prefix}mid"], []),
        f"{prefix}Join_1": ([f"{prefix}mid"], ["bar"], ["S:baz"]),
        f"{prefix}Join_2": ([f"{prefix}mid"], [f"{prefix}rest"], [f"S:{prefix}own"]),
    }


def test_g3_two_uses_of_a_graph_are_told_apart_and_nested_prefixes_nest():
    outer = """
        type: "Outer" input_stream: "I:i" output_stream: "O:o"
        node { calculator: "PassThroughGraph" input_stream: "INPUT:i" output_stream: "OUTPUT:o" }
    """
    text = """
        input_stream: "a"
        node { calculator: "Outer" input_stream: "I:a" output_stream: "O:b" }
        node { calculator: "Outer" input_stream: "I:b" output_stream: "O:c" }
    """
    assert expanded(text, PASS_GRAPH, outer) == {
        "outer_1__passthroughgraph__PassThroughCalculator": (["a"], ["b"]),
        "outer_2__passthroughgraph__PassThroughCalculator": (["b"], ["c"]),
    }


JOINED = """
    type: "Joined" input_stream: "IN:0:x" input_stream: "IN:1:y" input_stream: "z" input_side_packet: "P:p"
    output_stream: "out" output_stream: "EXTRA:extra"
    node { calculator: "Join" input_stream: "x" input_stream: "y" input_stream: "T:z"
           input_side_packet: "S:p" output_stream: "out" }
    node { calculator: "Join" input_stream: "z" output_stream: "extra" }
"""


@pytest.mark.parametrize(
    ("ports", "inner"),
    [
        ('input_stream: "IN:a" input_stream: "IN:1:b" input_stream: "c"', ["a", "b", "T:c"]),
        ('input_stream: "IN:a" input_stream: "IN:1:b"', ["a", "b"]),
        ('input_stream: "IN:a"', ["a"]),
        ('input_stream: "c"', ["T:c"]),
        ("", []),
    ],
    ids=["all", "without the untagged", "one index", "only the untagged", "none"],
)
def test_g4_sg2_what_the_caller_leaves_out_disappears_from_the_inner_nodes(ports, inner):
    text = f"""
        input_stream: "a" input_stream: "b" input_stream: "c"
        node {{ calculator: "Joined" {ports} output_stream: "o" }}
    """
    graph = plan(text, JOINED)
    first = next(node for node in graph.config.node if node.name == "joined__Join_1")
    assert list(first.input_stream) == inner
    assert not first.input_side_packet
    assert list(first.output_stream) == ["o"]
    assert "joined__extra" in graph.streams


def test_g4_the_interface_is_matched_by_tag_never_by_name():
    text = """
        input_stream: "stream_2"
        node { calculator: "PassThroughGraph" input_stream: "INPUT:stream_2" output_stream: "OUTPUT:stream_1" }
    """
    assert expanded(text, PASS_GRAPH) == {
        "passthroughgraph__PassThroughCalculator": (["stream_2"], ["stream_1"])
    }


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (
            'input_stream: "INPT:a"',
            'g.pbtxt:2:39: input_stream of subgraph node PassThroughGraph: Tag "INPT" does not exist in '
            "the subgraph config, which has 'INPUT'; did you mean 'INPUT'?",
        ),
        (
            'input_stream: "INPUT:a" input_stream: "INPUT:1:a"',
            'Tag "INPUT" has 2 indexes in the subgraph node but has only 1 indexes in the subgraph config',
        ),
        (
            'output_stream: "b"',
            'output_stream of subgraph node PassThroughGraph: Tag "" does not exist',
        ),
        ('input_side_packet: "S:b"', "input_side_packet of subgraph node PassThroughGraph: "),
    ],
)
def test_g4_a_port_that_the_graph_lacks_is_named(ports, expected):
    found = error(
        f'input_stream: "a"\nnode {{ calculator: "PassThroughGraph" {ports} }}', PASS_GRAPH
    )
    assert expected in str(found)
    assert found.code is Code.INVALID_ARGUMENT


def test_g5_only_the_nodes_of_a_subgraph_survive():
    inner = """
        type: "Inner" input_stream: "in" output_stream: "out" num_threads: 7 max_queue_size: 3
        input_stream_handler { input_stream_handler: "ImmediateInputStreamHandler" }
        executor { name: "own" type: "ThreadPoolExecutor" }
        node { calculator: "PassThroughCalculator" input_stream: "in" output_stream: "out" }
    """
    text = 'input_stream: "a" node { calculator: "Inner" input_stream: "a" output_stream: "b" }'
    graph = plan(text, inner)
    assert graph.max_queue_size == 100
    assert list(graph.executors) == [""]
    assert graph.nodes[0].input_stream_handler == "DefaultInputStreamHandler"


def test_g5_an_executor_named_inside_must_be_declared_by_the_top_graph():
    """Rule V6."""
    inner = PASS_GRAPH.replace("node {", 'node { executor: "fast"')
    text = """
        input_stream: "a"
        node { calculator: "PassThroughGraph" input_stream: "INPUT:a" output_stream: "OUTPUT:b" }
    """
    assert 'The executor "fast" is not declared' in str(error(text, inner))
    pool = "[mediapipe.ThreadPoolExecutorOptions.ext] { num_threads: 1 }"
    graph = plan(
        f'{text} executor {{ name: "fast" type: "ThreadPoolExecutor" options {{ {pool} }} }}', inner
    )
    assert graph.nodes[0].executor == "fast"


@pytest.mark.parametrize(
    "field",
    [
        "source_layer: 1",
        "buffer_size_hint: 2",
        "output_stream_handler { }",
        'input_stream_info { tag_index: "INPUT" back_edge: true }',
    ],
)
def test_g6_fields_for_calculators_only_are_errors_on_a_subgraph(field):
    text = f'input_stream: "a"\nnode {{ calculator: "PassThroughGraph" input_stream: "INPUT:a"\n {field} }}'
    found = error(text, PASS_GRAPH)
    assert "has a field that is only applicable to calculators" in str(found)
    assert "g.pbtxt:3:2" in str(found)


def test_g6_executor_and_max_in_flight_on_a_subgraph_are_ignored():
    plan(
        'input_stream: "a" node { calculator: "PassThroughGraph" input_stream: "INPUT:a" '
        'output_stream: "OUTPUT:b" executor: "gone" max_in_flight: 3 }',
        PASS_GRAPH,
    )


def test_g2_a_class_may_build_its_graph_from_its_options():
    text = f"""
        input_stream: "a"
        node {{ name: "t" calculator: "Twice" input_stream: "a" output_stream: "b"
               node_options {{ [{OPTIONS}] {{ period: 3 }} }} }}
    """
    assert expanded(text) == {
        "t__PassThroughCalculator_1": (["a"], ["t__s1"]),
        "t__PassThroughCalculator_2": (["t__s1"], ["t__s2"]),
        "t__PassThroughCalculator_3": (["t__s2"], ["b"]),
    }


def test_g2_a_class_that_expands_to_nothing_runs_itself():
    text = 'input_stream: "a" node { calculator: "Twice" input_stream: "a" output_stream: "b" }'
    (node,) = plan(text).nodes
    assert node.calculator is Twice


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"node {{ calculator: 'Twice' node_options {{ [{OPTIONS}] {{ period: -1 }} }} }}",
            "g.pbtxt:1:1: Twice: expand() of node 'Twice' failed: ValueError: a negative chain",
        ),
        ("node { calculator: 'FromFile' }", 'inner.pbtxt:2:2: Unable to find Calculator "Missing"'),
        ("node { calculator: 'Endless' }", "subgraph 'Endless' contains itself: Endless"),
        (
            f"node {{ calculator: 'Twice' node_options {{ [{OPTIONS}] {{ perod: 1 }} }} }}",
            "has no field 'perod'; did you mean 'period'?",
        ),
    ],
)
def test_g2_what_goes_wrong_in_a_class_is_an_error_of_the_graph(text, expected):
    assert expected in str(error(text))


def test_a_graph_that_contains_itself_is_an_error():
    loop = 'type: "Loop" node { calculator: "Pool" }'
    pool = 'type: "Pool" node { calculator: "Loop" }'
    assert "contains itself: Loop > Pool" in str(error('node { calculator: "Loop" }', loop, pool))


def test_r3_a_graph_given_along_hides_a_registered_calculator():
    mine = 'type: "PassThroughCalculator" input_stream: "i" output_stream: "o" node { calculator: "Join" output_stream: "o" }'
    text = 'input_stream: "a" node { calculator: "PassThroughCalculator" input_stream: "a" output_stream: "b" }'
    assert list(expanded(text, mine)) == ["passthroughcalculator__Join"]


def test_two_graphs_of_one_type_are_an_error():
    assert "'PassThroughGraph' is registered twice" in str(error("", PASS_GRAPH, PASS_GRAPH))


def test_errors_inside_a_subgraph_are_placed_in_its_own_file():
    inner = read_graph(PASS_GRAPH.replace('"stream_1"\n', '"strem_1"\n'), "inner.pbtxt")
    text = 'input_stream: "a" node { calculator: "PassThroughGraph" input_stream: "INPUT:a" }'
    (problem,) = error(text, inner).problems
    assert str(problem.location) == "inner.pbtxt:7:7"
    assert "reads stream 'passthroughgraph__strem_1', which nothing writes" in problem.message


def test_options_that_no_graph_reads_are_an_error():
    text = f'node {{ calculator: "PassThroughGraph" node_options {{ [{OPTIONS}] {{ }} }} }}'
    assert "does not take options of type mediapipe.PacketThinner" in str(error(text, PASS_GRAPH))


COPYING = f"""
    type: "Copying" input_stream: "i" output_stream: "o"
    graph_options {{ [{OPTIONS}] {{ period: 5 start_time: 3 }} }}
    node {{ calculator: "PassThroughCalculator" input_stream: "i" output_stream: "o"
           node_options {{ [{OPTIONS}] {{ end_time: 7 }} }}
           option_value: "VALUE" }}
"""
TYPE = "Ext::mediapipe.PacketThinnerCalculatorOptions"


@pytest.mark.parametrize(
    ("value", "own", "expected"),
    [
        ("period:period", "", {"period": 5, "end_time": 7}),
        ("period:period", "period: 9", {"period": 9, "end_time": 7}),
        ("period:options/period", "period: 9", {"period": 9, "end_time": 7}),
        ("OPTIONS/period:OPTIONS/start_time", "", {"period": 3, "end_time": 7}),
        ("OPTIONS:OPTIONS", "period: 9", {"period": 9, "start_time": 3, "end_time": 7}),
        ("OPTIONS:options", "end_time: 1", {"period": 5, "start_time": 3, "end_time": 1}),
        (f"{TYPE}/period:{TYPE}/period", "", {"period": 5, "end_time": 7}),
        ("start_time:sync_output_timestamps", "", {"end_time": 7}),
    ],
)
def test_g7_an_option_is_copied_from_the_options_of_the_graph(value, own, expected):
    text = f"""
        input_stream: "a"
        node {{ calculator: "Copying" input_stream: "a" output_stream: "b"
               node_options {{ [{OPTIONS}] {{ {own} }} }} }}
    """
    graph = plan(text, COPYING.replace("VALUE", value))
    assert graph.nodes[0].options == PacketThinnerCalculatorOptions(**expected)
    assert not graph.config.node[0].option_value


def test_g7_without_options_on_the_graph_nothing_happens():
    inner = "\n".join(
        line
        for line in COPYING.replace("VALUE", "period:period").splitlines()
        if "graph_options" not in line
    )
    graph = plan(
        'input_stream: "a" node { calculator: "Copying" input_stream: "a" output_stream: "b" }',
        inner,
    )
    assert graph.nodes[0].options == PacketThinnerCalculatorOptions(end_time=7)


def test_g7_the_top_graph_copies_its_own_options():
    text = COPYING.replace("VALUE", "period:period").replace('type: "Copying"', "")
    assert plan(text).nodes[0].options.period == 5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("period", "found 'period', expected \"node/field:graph/field\""),
        ("perod:period", "has no field 'perod'; did you mean 'period'?"),
        ("period:perod", "has no field 'perod'; did you mean 'period'?"),
        ("0/period:period", "starts with an index"),
        ("period:OPTIONS", "cannot hold"),
        ("Ext::a.B/period:period", "has no options of a.B to copy into; give it empty ones"),
    ],
)
def test_g7_a_wrong_path_is_named_with_its_place(value, expected):
    text = 'input_stream: "a" node { calculator: "Copying" input_stream: "a" output_stream: "b" }'
    inner = read_graph(COPYING.replace("VALUE", value), "inner.pbtxt")
    found = error(text, inner)
    assert expected in str(found)
    assert "inner.pbtxt:6:12: option_value: " in str(found)


def test_a_binary_graph_is_expanded_like_its_text():
    binary = GraphConfig.from_binary(read_graph(PASS_GRAPH).proto.SerializeToString())
    text = 'input_stream: "a" node { calculator: "PassThroughGraph" input_stream: "INPUT:a" output_stream: "OUTPUT:b" }'
    assert expanded(text, binary) == expanded(text, PASS_GRAPH)


class Containing(Calculator):
    """Stands for the nodes that its options hold, as SwitchContainer does."""

    options = SwitchContainerOptions

    @classmethod
    def expand(cls, context):
        nodes = context.options.contained_node
        return graph_pb2.CalculatorGraphConfig(input_stream=["a"], node=nodes)


def test_o6_options_inside_of_options_reach_their_calculator_with_their_place():
    registry = Registry(REGISTRY)
    registry.register("Containing", Containing)
    text = f"""
        input_stream: "x"
        node {{ calculator: "Containing" input_stream: "x" node_options {{ [x/mediapipe.SwitchContainerOptions] {{
          contained_node {{ calculator: "Twice" input_stream: "a" output_stream: "b" node_options {{
            [{OPTIONS}] {{ period: PERIOD }} }} }} }} }} }}
    """
    graph = plan_graph(read_graph(text.replace("PERIOD", "2"), "g.pbtxt"), registry=registry)
    assert [node.name for node in graph.nodes] == [
        "containing__twice__PassThroughCalculator_1",
        "containing__twice__PassThroughCalculator_2",
    ]
    with pytest.raises(
        GraphError, match=r"g\.pbtxt:5:\d+: 'period' of .* found two, expected a whole"
    ):
        plan_graph(read_graph(text.replace("PERIOD", "two"), "g.pbtxt"), registry=registry)


def test_the_graph_to_run_is_chosen_by_its_type_among_several():
    main = 'input_stream: "a" node { calculator: "PassThroughGraph" input_stream: "INPUT:a" output_stream: "OUTPUT:b" }'
    graph = plan_graphs([PASS_GRAPH, main], registry=REGISTRY)
    assert [node.name for node in graph.nodes] == ["passthroughgraph__PassThroughCalculator"]
    graph = plan_graphs([PASS_GRAPH, main], graph_type="PassThroughGraph", registry=REGISTRY)
    assert [port.name for port in graph.input_streams] == ["stream_1"]
    with pytest.raises(GraphError, match=r'no graph of type "PassTroughGraph"; did you mean'):
        plan_graphs([PASS_GRAPH, main], graph_type="PassTroughGraph", registry=REGISTRY)
