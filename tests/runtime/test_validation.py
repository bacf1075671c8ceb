"""A graph becomes a plan, or an error with every mistake (rules N4, N8, O2, H4, V1 to V5, V7, K2, X1, X2)."""

import pytest

from calcgraph.proto.calculators_pb2 import PoolingOptions
from calcgraph.proto.handlers_pb2 import SyncSetInputStreamHandlerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import GraphConfig, read_graph
from calcgraph.runtime.contract import optional, same_as
from calcgraph.runtime.errors import Code, GraphError
from calcgraph.runtime.registry import Registry
from calcgraph.runtime.struct_options import StructOptions
from calcgraph.runtime.validated_graph_config import ValidatedGraphConfig
from calcgraph.runtime.validation import plan_graph


class Animal:
    pass


class Cat(Animal):
    pass


class PassThroughCalculator(Calculator):
    @classmethod
    def contract(cls, contract):
        for key in contract.inputs:
            contract.outputs[key].set_same_as(contract.inputs[key].set_any())
        for key in contract.input_side_packets:
            contract.output_side_packets[key].set_same_as(
                contract.input_side_packets[key].set_any()
            )


class Sink(Calculator):
    """Takes anything."""

    inputs = {":*": object, "TICK": optional(object), "LOOP": optional(object)}
    input_side_packets = {"S": optional(int)}


class Numbers(Calculator):
    outputs = {"": int}


class Texts(Calculator):
    outputs = {"": str}


class WantsText(Calculator):
    inputs = {"": str}


class WantsNumber(Calculator):
    inputs = {"": int}


class WantsEither(Calculator):
    inputs = {"": int | str}


class Cats(Calculator):
    outputs = {"": Cat}


class WantsAnimal(Calculator):
    inputs = {"": Animal}


class WantsCat(Calculator):
    inputs = {"": Cat}


class Animals(Calculator):
    outputs = {"": Animal}


class Bounds(Calculator):
    outputs = {"": None}


class Pooling(Calculator):
    inputs = {"": optional(object)}
    options = PoolingOptions


class Plain(Calculator):
    options = None


class Merge(Calculator):
    inputs = {"": object, ":1": same_as("")}
    outputs = {"": same_as("")}


class MakesSide(Calculator):
    output_side_packets = {"S": str}


class NeedsSide(Calculator):
    input_side_packets = {"S": int, "T": optional(int)}


REGISTRY = Registry()
for calculator in Calculator.__subclasses__():
    if calculator.__module__ == __name__:
        REGISTRY.register(calculator.__name__, calculator)


def plan(text, **more):
    return plan_graph(read_graph(text, "g.pbtxt"), registry=REGISTRY, **more)


def error(text, **more):
    with pytest.raises(GraphError) as caught:
        plan(text, **more)
    return caught.value


def node(calculator, inputs="", outputs="", extra="", name=""):
    ports = [f'input_stream: "{each}"' for each in inputs.split()]
    ports += [f'output_stream: "{each}"' for each in outputs.split()]
    name = f'name: "{name}" ' if name else ""
    return f'node {{ {name}calculator: "{calculator}" {" ".join(ports)} {extra} }}\n'


def passing(inputs, outputs, extra="", name=""):
    return node("PassThroughCalculator", inputs, outputs, extra, name)


BACK_EDGE = 'input_stream_info { tag_index: "LOOP" back_edge: true }'


# Names


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            node("Sink", "A:1:x"),
            "1:27",
            "Unable to initialize TagMaps for node 'Sink', input_stream: ",
        ),
        (node("Sink", "x Xx:y"), "1:45", "'Xx:y': "),
        (node("Sink", "TICK:x TICK:y"), "1:27", "index 0 is used by both 'x' and 'y'"),
        (
            'input_stream: "x"\ninput_stream: "Y"',
            "2:1",
            "input_stream of the graph: 'Y': a name is",
        ),
        ('output_stream: "1:y"', "1:1", "output_stream of the graph: '1:y': '1': a tag is"),
        ('input_side_packet: "A:"', "1:1", "input_side_packet of the graph: 'A:': '': a name is"),
    ],
)
def test_n2_n4_a_malformed_port_is_an_error_at_its_line(text, place, message):
    problem = error(text).problems[0]
    assert str(problem.location) == f"g.pbtxt:{place}"
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            node("Numbers", "", "x") + node("Numbers", "", "x"),
            "2:30",
            "Output Stream \"x\" defined twice. First by node 'Numbers_1' (g.pbtxt:1:30)",
        ),
        (
            'input_stream: "x"\n' + node("Numbers", "", "x"),
            "2:30",
            'Output Stream "x" defined twice. First by the graph\'s input (g.pbtxt:1:1)',
        ),
        (
            ('node { calculator: "MakesSide" output_side_packet: "S:s" }\n') * 2,
            "2:32",
            'Output Side Packet "s" defined twice.',
        ),
    ],
)
def test_n8_a_name_has_one_producer(text, place, message):
    found = error(text)
    assert str(found.problems[0].location) == f"g.pbtxt:{place}"
    assert message in str(found)
    assert found.code is Code.UNKNOWN


def test_n8_streams_and_side_packets_are_two_namespaces():
    plan(node("Numbers", "", "x") + 'node { calculator: "MakesSide" output_side_packet: "S:x" }')


# Streams and order


def test_v2_a_stream_that_nothing_writes_is_named_with_its_nearest():
    found = error('input_stream: "tokens"\n' + node("Sink", "toknes", name="pool"))
    assert str(found) == (
        "g.pbtxt:2:40: node 'pool' reads stream 'toknes', which nothing writes: Input Stream "
        "\"toknes\" does not have a corresponding output stream. Did you mean 'tokens'?"
    )
    assert isinstance(found, RuntimeError)


def test_v2_a_back_edge_needs_a_producer_too():
    assert "does not have a corresponding output stream" in str(
        error(node("Sink", "LOOP:x", extra=BACK_EDGE))
    )


def test_v2_an_output_of_the_graph_that_nothing_writes_is_named():
    found = error('output_stream: "OUT:responce"\n' + node("Numbers", "", "response"))
    assert "g.pbtxt:1:1: the graph's output stream 'responce' is written by nothing" in str(found)
    assert "did you mean 'response'?" in str(found)


def test_v3_nodes_are_sorted_and_keep_the_files_order_where_they_can():
    graph = plan(
        'input_stream: "in"'
        + passing("b", "c", name="three")
        + passing("in", "x", name="free")
        + passing("in", "a", name="one")
        + passing("a", "b", name="two")
    )
    assert [each.name for each in graph.nodes] == ["free", "one", "two", "three"]
    assert [each.id for each in graph.nodes] == [0, 1, 2, 3]
    assert [each.name for each in graph.config.node] == ["free", "one", "two", "three"]


def test_v3_a_file_in_order_is_left_as_it_is():
    graph = plan(
        'input_stream: "in"' + "".join(passing("in", f"o{n}", name=f"n{n}") for n in (3, 1, 2))
    )
    assert [each.name for each in graph.nodes] == ["n3", "n1", "n2"]


def test_v3_side_packets_order_nodes_too():
    graph = plan(
        'node { calculator: "NeedsSide" input_side_packet: "S:s" }'
        'node { calculator: "PassThroughCalculator" input_side_packet: "given" output_side_packet: "s" }'
    )
    assert [each.calculator.__name__ for each in graph.nodes] == [
        "PassThroughCalculator",
        "NeedsSide",
    ]
    assert list(graph.dag.edges) == [(0, 1)]


@pytest.mark.parametrize(
    "text",
    [
        passing("b", "a", name="first") + passing("a", "b", name="second"),
        'node { name: "first" calculator: "PassThroughCalculator" input_side_packet: "b" output_side_packet: "a" }'
        'node { name: "second" calculator: "PassThroughCalculator" input_side_packet: "a" output_side_packet: "b" }',
    ],
    ids=["streams", "side packets"],
)
def test_v3_a_cycle_is_shown_whole(text):
    found = error(text)
    assert "cycle detected in graph: [first, second]" in str(found)
    assert "first -(a) -> second -(b) -> first" in str(found)
    assert found.code is Code.UNKNOWN


def test_v3_a_node_that_feeds_itself_is_a_cycle():
    assert "cycle detected in graph: [PassThroughCalculator]" in str(error(passing("a", "a")))


def test_v3_two_cycles_are_both_reported():
    found = error(passing("a", "a", name="x") + passing("b", "b", name="y"))
    assert len(found.problems) == 2


def test_v3_a_back_edge_cuts_a_cycle():
    loop = passing("in LOOP:back", "out LOOP:back", BACK_EDGE)
    graph = plan('input_stream: "in"' + loop)
    (only,) = graph.nodes
    assert only.back_edges == frozenset({1})
    assert graph.streams["back"].producer == (0, 1)
    assert graph.warnings == ()
    assert list(graph.dag.edges) == []


def test_v4_a_back_edge_that_was_not_needed_is_a_warning():
    graph = plan('input_stream: "in"\n' + node("Sink", "in LOOP:in", extra=BACK_EDGE))
    (warning,) = graph.warnings
    assert warning.startswith(
        "g.pbtxt:2:46: input stream 'in' of node 'Sink' is marked as a back edge"
    )


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (
            'input_stream_info { tag_index: "LOP" back_edge: true }',
            'Input stream with tag_index "LOP" requested in InputStreamInfo but is not an input stream',
        ),
        (
            f"{BACK_EDGE} {BACK_EDGE}",
            'Input stream with tag_index "LOOP" has more than one InputStreamInfo.',
        ),
        (
            'input_stream_info { tag_index: "LOOP:01" }',
            "'LOOP:01': expected TAG, :index or TAG:index",
        ),
    ],
)
def test_an_input_stream_info_names_an_input_of_its_node_once(info, message):
    assert message in str(error('input_stream: "in"' + node("Sink", "in LOOP:in", extra=info)))


def test_the_plan_says_who_writes_and_who_reads_each_stream():
    graph = plan(
        'input_stream: "in" output_stream: "b"'
        + passing("B:in A:in", "B:b A:a", name="first")
        + node("Sink", "b a", name="second")
    )
    assert graph.streams["in"].producer is None
    assert graph.streams["in"].consumers == ((0, 0), (0, 1))
    assert graph.streams["a"].producer == (0, 0)
    assert graph.streams["b"].consumers == ((1, 0),)
    assert [port.tag for port in graph.nodes[0].inputs] == ["A", "B"]
    assert [port.name for port in graph.output_streams] == ["b"]
    assert [each.name for each in graph.consumers(graph.nodes[0], "A")] == ["second"]


# Types


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ("Numbers", "WantsNumber"),
        ("Numbers", "WantsEither"),
        ("Cats", "WantsAnimal"),
        ("Cats", "WantsCat"),
        ("Numbers", "Sink"),
        ("Bounds", "Sink"),
    ],
)
@pytest.mark.parametrize("between", [0, 3])
def test_v5_types_that_fit_directly_and_through_nodes_that_pass_on(writer, reader, between):
    text = node(writer, "", "x0") + "".join(passing(f"x{n}", f"x{n + 1}") for n in range(between))
    plan(text + node(reader, f"x{between}"))


@pytest.mark.parametrize(
    ("writer", "reader", "expected", "found"),
    [
        ("Numbers", "WantsText", "str", "int"),
        ("Cats", "WantsNumber", "int", f"{__name__}.Cat"),
        ("Animals", "WantsCat", f"{__name__}.Cat", f"{__name__}.Animal"),
        ("Bounds", "WantsNumber", "int", "[No Type]"),
    ],
)
@pytest.mark.parametrize("between", [0, 3])
def test_v5_types_that_do_not_fit_are_both_named(writer, reader, expected, found, between):
    text = node(writer, "", "x0") + "".join(passing(f"x{n}", f"x{n + 1}") for n in range(between))
    raised = error(text + node(reader, f"x{between}"))
    assert (
        f'Input stream of calculator "{reader}" expects packets of type "{expected}" but the connected '
        f"output stream will contain packets of type \"{found}\" (from '{writer}', g.pbtxt:1:"
    ) in str(raised)
    assert raised.code is Code.UNKNOWN


def test_v5_any_means_one_type_not_a_mixture():
    text = node("Numbers", "", "a") + node("Merge", "a a", "b") + node("WantsText", "b")
    assert 'expects packets of type "str"' in str(error(text))
    assert plan(node("Numbers", "", "a") + node("Merge", "a a", "b")).streams["b"].type is int


def test_v5_two_types_where_a_node_asks_for_one_are_an_error():
    text = node("Numbers", "", "a") + node("Texts", "", "b") + node("Merge", "a b", "c")
    found = error(text)
    assert "node 'Texts' writes packets of type \"str\", but node 'Numbers'" in str(found)
    cats = node("Cats", "", "a") + node("Animals", "", "b") + node("Merge", "a b", "c")
    assert plan(cats).streams["c"].type is Animal
    assert plan(cats).streams["a"].type is Cat


def test_v5_types_flow_backward_to_the_graphs_inputs():
    graph = plan(
        'input_stream: "in"'
        + passing("in", "x")
        + node("WantsEither", "x")
        + node("WantsText", "x")
    )
    assert graph.streams["in"].type is str
    assert graph.streams["x"].type is str


def test_v5_readers_of_one_graph_input_must_agree():
    text = 'input_stream: "in"\n' + node("WantsText", "in") + node("WantsNumber", "in")
    found = error(text)
    assert "g.pbtxt:3:" in str(found)
    assert (
        "node 'WantsNumber' expects packets of type \"int\", but node 'WantsText' (g.pbtxt:2:"
        in str(found)
    )


def test_v5_a_stream_of_no_known_type_is_not_checked():
    assert plan('input_stream: "in"' + node("Sink", "in")).streams["in"].type is None


def test_v5_side_packets_have_types_too():
    found = error(
        'node { calculator: "MakesSide" output_side_packet: "S:s" }\n'
        'node { calculator: "NeedsSide" input_side_packet: "S:s" }'
    )
    assert 'Input side packet of calculator "NeedsSide" expects packets of type "int"' in str(found)


# Side packets, options, handlers


def test_k2_a_side_packet_is_required_if_a_node_needs_it_and_none_makes_it():
    graph = plan(
        'node { calculator: "NeedsSide" input_side_packet: "S:needed" input_side_packet: "T:maybe" }'
        'node { calculator: "Sink" input_side_packet: "S:needed" }'
    )
    assert graph.side_packets["needed"].required
    assert graph.side_packets["needed"].type is int
    assert not graph.side_packets["maybe"].required
    assert graph.side_packets["needed"].consumers == ((0, 0), (1, 0))


def test_options_reach_the_plan_decoded():
    graph = plan(
        node("Pooling", extra="node_options { [x/calcgraph.PoolingOptions] { pooling: LAST } }")
        + node("Numbers", "", "x", "node_options { [x/google.protobuf.Struct] { start: 3 } }")
        + node("Plain")
        + node("Pooling")
    )
    assert [each.options for each in graph.nodes[:1]] == [PoolingOptions(pooling="LAST")]
    assert isinstance(graph.nodes[1].options, StructOptions)
    assert graph.nodes[1].options["start"] == 3
    assert [each.options for each in graph.nodes[2:]] == [None, PoolingOptions()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            node("Pooling", extra="node_options { [x/calcgraph.PolingOptions] { pooling: LAST } }"),
            "calculator 'Pooling' (node 'Pooling') does not take options of type calcgraph.PolingOptions, "
            "expected calcgraph.PoolingOptions",
        ),
        (
            node("Plain", extra="options { [a.B.ext] { } }"),
            "calculator 'Plain' (node 'Plain') does not take options of type a.B, expected no options",
        ),
        (
            node(
                "Pooling", extra="node_options { [x/calcgraph.PoolingOptions] { pooling: LAZT } }"
            ),
            "found LAZT, expected one of CLS, LAST, MEAN; did you mean 'LAST'?",
        ),
        (
            node("Sink", extra="node_options { [x/a.B] {} } node_options { [y/a.B] {} }"),
            "Options type: 'a.B' specified more than once",
        ),
        (
            "graph_options { [x/calcgraph.PoolingOptions] { pooling: 9 } }",
            "found 9, expected one of CLS",
        ),
    ],
)
def test_o1_o2_options_that_nobody_reads_or_that_are_wrong_are_errors(text, message):
    assert message in str(error(text))


def handler(name, options=""):
    options = f"options {{ {options} }}" if options else ""
    return f'input_stream_handler {{ input_stream_handler: "{name}" {options} }}'


def sync_sets(*sets):
    text = "".join(
        "sync_set { " + " ".join(f'tag_index: "{each}"' for each in names) + " }" for names in sets
    )
    return handler(
        "SyncSetInputStreamHandler",
        f"[mediapipe.SyncSetInputStreamHandlerOptions.ext] {{ {text} }}",
    )


def test_o6_h4_a_handler_and_its_options_reach_the_plan():
    graph = plan(
        'input_stream: "in"' + node("Sink", "in TICK:in", extra=sync_sets([":0"], ["TICK"]))
    )
    (only,) = graph.nodes
    assert only.input_stream_handler == "SyncSetInputStreamHandler"
    assert [list(each.tag_index) for each in only.handler_options.sync_set] == [[":0"], ["TICK"]]


def test_the_graphs_handler_is_that_of_every_node_without_its_own():
    graph = plan(
        'input_stream: "in"'
        + handler("ImmediateInputStreamHandler")
        + node("Sink", "in")
        + node("Sink", "in", extra=handler("BarrierInputStreamHandler"))
    )
    assert [each.input_stream_handler for each in graph.nodes] == [
        "ImmediateInputStreamHandler",
        "BarrierInputStreamHandler",
    ]
    assert (
        graph.config.node[0].input_stream_handler.input_stream_handler
        == "ImmediateInputStreamHandler"
    )


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (
            handler("SyncInputStreamHandler"),
            'Unable to find InputStreamHandler "SyncInputStreamHandler"; did you mean '
            "'SyncSetInputStreamHandler'?",
        ),
        (
            sync_sets(["GONE"]),
            "tag_index \"GONE\" is no input of this node, expected one of [':0', 'TICK:0']",
        ),
        (sync_sets([":0"], [":0"]), 'tag_index ":0" stands in the sync sets twice'),
        (sync_sets(["x"]), "'x': expected TAG, :index or TAG:index"),
        (
            handler(
                "ImmediateInputStreamHandler", "[mediapipe.SyncSetInputStreamHandlerOptions.ext] {}"
            ),
            "ImmediateInputStreamHandler does not take options of type mediapipe.SyncSetInputStream",
        ),
        (
            handler(
                "TimestampAlignInputStreamHandler",
                "[mediapipe.TimestampAlignInputStreamHandlerOptions.ext] { timestamp_base_tag_index: 'B' }",
            ),
            'tag_index "B" is no input of this node',
        ),
        (
            handler(
                "DefaultInputStreamHandler",
                "[mediapipe.DefaultInputStreamHandlerOptions.ext] { batch_size: 0 }",
            ),
            "batch_size: found 0, expected at least 1",
        ),
        (
            "max_in_flight: 2 "
            + handler(
                "DefaultInputStreamHandler",
                "[mediapipe.DefaultInputStreamHandlerOptions.ext] { batch_size: 3 }",
            ),
            "batch_size 3 and max_in_flight 2: expected one of them to be 1",
        ),
        (
            handler(
                "FixedSizeInputStreamHandler",
                "[mediapipe.FixedSizeInputStreamHandlerOptions.ext] { target_queue_size: 5 }",
            ),
            "found target_queue_size 5 and trigger_queue_size 2, expected 1 <= target <= trigger",
        ),
        (
            handler(
                "FixedSizeInputStreamHandler",
                "[mediapipe.FixedSizeInputStreamHandlerOptions.ext] { target_queue: 5 }",
            ),
            "has no field 'target_queue'; did you mean 'target_queue_size'?",
        ),
        ("max_in_flight: -1", "max_in_flight: found -1, expected 0 or more"),
    ],
)
def test_h4_a_handler_that_cannot_work_is_an_error_before_the_run(extra, message):
    found = error('input_stream: "in"\n' + node("Sink", "in TICK:in", extra=extra))
    assert message in str(found)
    assert "g.pbtxt:2:" in str(found)


# Executors, sizes


def executor(name="", type_="ThreadPoolExecutor", threads=None):
    options = (
        f"options {{ [mediapipe.ThreadPoolExecutorOptions.ext] {{ num_threads: {threads} }} }}"
    )
    name = f'name: "{name}"' if name else ""
    type_ = f'type: "{type_}"' if type_ else ""
    return f"executor {{ {name} {type_} {options if threads is not None else ''} }}\n"


def test_x1_executors_reach_the_plan_with_their_threads():
    graph = plan(
        "num_threads: 3\n"
        + executor("fast", threads=2)
        + node("Numbers", "", "x", 'executor: "fast"')
    )
    assert {name: each.num_threads for name, each in graph.executors.items()} == {"fast": 2, "": 3}
    assert graph.nodes[0].executor == "fast"
    assert graph.num_threads == 3


def test_x1_the_default_executor_may_be_declared():
    graph = plan(executor(threads=5))
    assert (graph.executors[""].type, graph.num_threads) == ("ThreadPoolExecutor", 5)
    assert (
        plan(executor(type_="ApplicationThreadExecutor")).executors[""].type
        == "ApplicationThreadExecutor"
    )


def test_x1_without_a_number_there_are_no_more_threads_than_nodes():
    assert plan(node("Plain")).num_threads == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (executor("a", threads=1) * 2, 'ExecutorConfig for "a" is duplicate.'),
        (executor() * 2, "ExecutorConfig for the default executor is duplicate."),
        ("num_threads: 1 " + executor(), "and the graph-level num_threads field should not both"),
        (executor("gpu"), '"gpu" is a reserved executor name.'),
        (executor("default"), '"default" is a reserved executor name.'),
        (executor("__mine"), '"__mine" is a reserved executor name.'),
        (node("Plain", extra='executor: "__x"'), '"__x" is a reserved executor name.'),
        (
            executor("fast", threads=1) + node("Plain", extra='executor: "fasst"'),
            "The executor \"fasst\" is not declared in an ExecutorConfig; did you mean 'fast'?",
        ),
        (
            executor("a", "ThreadPool", 1),
            'Unable to find Executor "ThreadPool", expected ThreadPoolExecutor or',
        ),
        (executor("a"), 'executor "a": found num_threads 0, expected 1 or more'),
        (executor("a", threads=-1), 'executor "a": found num_threads -1, expected 1 or more'),
        (
            executor("a", "", 1),
            'executor "a" has no type, expected ThreadPoolExecutor or one given',
        ),
        (executor("a", "ApplicationThreadExecutor"), "is for the default executor only"),
        ("num_threads: -1", "num_threads: found -1, expected 0 or more"),
        ("max_queue_size: -2", "max_queue_size: found -2, expected -1 (no limit), 0 (100) or more"),
    ],
)
def test_x2_executors_and_sizes_that_cannot_be_are_errors(text, message):
    """Rule V6."""
    assert message in str(error(text))


def test_x2_an_executor_may_be_given_by_the_application():
    text = executor("mine", "") + node("Plain", extra='executor: "mine"')
    assert plan(text, executors=["mine"]).nodes[0].executor == "mine"
    assert "also given by the application" in str(
        error(executor("mine", threads=1), executors=["mine"])
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 100),
        ("max_queue_size: 7", 7),
        ("max_queue_size: -1", -1),
        ("max_queue_size: 7 " + node("Plain", extra="buffer_size_hint: 9"), 9),
        ("max_queue_size: 7 " + node("Plain", extra="buffer_size_hint: 3"), 7),
        ("max_queue_size: -1 " + node("Plain", extra="buffer_size_hint: 3"), -1),
    ],
)
def test_the_queue_size_is_100_unless_the_graph_or_a_hint_says_more(text, size):
    assert plan(text).max_queue_size == size


# Everything at once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('packet_factory { packet_factory: "F" }', "g.pbtxt:1:1: not supported: packet_factory; "),
        (
            'packet_generator { packet_generator: "G" }',
            "not supported: packet_generator; use a calculator",
        ),
        ('status_handler { status_handler: "S" }', "not supported: status_handler; "),
        (
            'node {\n calculator: "Plain"\n external_input: "x" }',
            "g.pbtxt:3:2: not supported: external_input; call it input_side_packet",
        ),
        (
            'output_stream_handler { output_stream_handler: "Mine" }',
            'Unable to find OutputStreamHandler "Mine", expected InOrderOutputStreamHandler',
        ),
    ],
)
def test_what_is_not_supported_is_refused_at_its_line(text, message):
    assert message in str(error(text))


def test_gv1_an_unknown_calculator_is_named_with_its_nearest():
    found = error('node {\n  calculator: "PassThroughCalculater"\n}')
    assert str(found) == (
        'g.pbtxt:2:3: Unable to find Calculator "PassThroughCalculater"; '
        "did you mean 'PassThroughCalculator'?"
    )
    assert found.code is Code.NOT_FOUND
    assert isinstance(found, RuntimeError)


def test_a_node_without_a_calculator_is_an_error():
    assert "node '' names no calculator" in str(error("node { }"))


def test_a_graph_of_calculators_we_lack_is_checked_for_everything_else():
    """Rule O7."""
    found = error(
        'input_stream: "in"\n'
        + node("OneCalculator", "in", "a", "options { [one.Options.ext] { x: 1 } }")
        + node("TwoCalculator", "a bb", "b")
        + node("TwoCalculator", "b", "c", handler("Nobody"))
        + 'output_stream: "d"'
    )
    assert [problem.location.line for problem in found.problems] == [2, 3, 3, 4, 4, 5]
    assert found.code is Code.NOT_FOUND
    assert "did you mean" not in str(found)


def test_an_unknown_calculators_options_are_checked_where_their_type_is_known():
    text = node("Poling", extra="node_options { [x/calcgraph.PoolingOptions] { pooling: MAEN } }")
    messages = [problem.message for problem in error(text).problems]
    assert messages[0].startswith('Unable to find Calculator "Poling"; did you mean')
    assert "found MAEN, expected one of CLS, LAST, MEAN" in messages[1]


def test_the_first_stage_that_fails_decides_the_code():
    # As in MediaPipe's own Python test: the contract fails before anybody looks for the stream.
    text = passing("in in", "out")
    found = error(text)
    assert found.code is Code.INVALID_ARGUMENT
    assert isinstance(found, ValueError)
    assert "does not have a corresponding output stream" in str(found)


def test_two_mistakes_of_different_kinds_are_both_reported():
    found = error(node("Sink", "x") + node("Pooling", extra="executor: 'y'"))
    assert [problem.location.line for problem in found.problems] == [1, 2]


# The canonical form


def test_v7_the_canonical_form_is_expanded_sorted_and_reads_back():
    validated = ValidatedGraphConfig()
    assert not validated.initialized()
    validated.initialize(
        graph_config='input_stream: "in" num_threads: 2 '
        + node(
            "Pooling", "x", extra="node_options { [a/calcgraph.PoolingOptions] { pooling: LAST } }"
        )
        + passing("in", "x", sync_sets([":0"])),
        registry=REGISTRY,
    )
    assert validated.initialized()
    again = read_graph(validated.text_config)
    assert [each.calculator for each in again.proto.node] == ["PassThroughCalculator", "Pooling"]
    assert (
        "[type.googleapis.com/calcgraph.PoolingOptions] {\n      pooling: LAST"
        in validated.text_config
    )
    assert (
        "[mediapipe.ThreadPoolExecutorOptions.ext] {\n      num_threads: 2" in validated.text_config
    )
    canonical = plan_graph(again, registry=REGISTRY)
    assert canonical.config == validated.plan.config
    assert canonical.nodes[1].options == PoolingOptions(pooling="LAST")
    binary = plan_graph(GraphConfig.from_binary(validated.binary_config), registry=REGISTRY)
    assert binary.config == validated.plan.config
    assert isinstance(binary.nodes[0].handler_options, SyncSetInputStreamHandlerOptions)
    assert len(binary.nodes[0].handler_options.sync_set) == 1


def test_v7_struct_options_survive_the_canonical_form():
    graph = plan(
        node("Numbers", "", "x", "node_options { [a/google.protobuf.Struct] { n: 1 l: [1, 'x'] } }")
    )
    again = plan_graph(graph.config, registry=REGISTRY)
    assert dict(again.nodes[0].options) == {"n": 1, "l": [1, "x"]}


def test_a_validated_graph_knows_the_types_of_its_streams():
    validated = ValidatedGraphConfig()
    validated.initialize(
        graph_config='input_stream: "in"'
        + node("Numbers", "", "x")
        + node("Sink", "in")
        + 'node { calculator: "NeedsSide" input_side_packet: "S:s" }',
        registry=REGISTRY,
    )
    assert validated.registered_stream_type_name("x") == "int"
    assert validated.registered_side_packet_type_name("s") == "int"
    with pytest.raises(RuntimeError, match='Unable to find the type for stream "in"'):
        validated.registered_stream_type_name("in")
    with pytest.raises(ValueError, match='Stream "y" is not defined in the config'):
        validated.registered_stream_type_name("y")
    with pytest.raises(ValueError, match='Side packet "y" is not defined in the config'):
        validated.registered_side_packet_type_name("y")


def test_a_validated_graph_is_initialized_once_from_one_source(tmp_path):
    validated = ValidatedGraphConfig()
    with pytest.raises(ValueError, match="is not initialized"):
        _ = validated.text_config
    with pytest.raises(ValueError, match="provide either 'binary_graph_path' or 'graph_config'"):
        validated.initialize()
    with pytest.raises(ValueError, match="provide either 'binary_graph_path' or 'graph_config'"):
        validated.initialize(graph_config="", binary_graph_path="x")
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        validated.initialize(binary_graph_path=str(tmp_path / "gone.binarypb"))
    path = tmp_path / "g.binarypb"
    path.write_bytes(read_graph(node("Plain")).proto.SerializeToString())
    validated.initialize(binary_graph_path=str(path), registry=REGISTRY)
    with pytest.raises(ValueError, match="can be initialized only once"):
        validated.initialize(graph_config="")


def test_directives_and_places_reach_the_plan():
    graph = plan("# OVMS_GRAPH_QUEUE_MAX_SIZE: 4\n" + node("Plain"))
    assert graph.directives == {"OVMS_GRAPH_QUEUE_MAX_SIZE": "4"}
    assert str(graph.nodes[0].location) == "g.pbtxt:2:1"
