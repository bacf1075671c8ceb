"""Options: lifted from the text, decoded when their type is asked for (rules O1 to O4, O6, case OP1)."""

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct

from calcgraph.proto import core_calculators_pb2, graph_pb2
from calcgraph.proto.calculators_pb2 import PoolingOptions
from calcgraph.proto.core_calculators_pb2 import PacketThinnerCalculatorOptions as Thinner
from calcgraph.proto.ovms_pb2 import EmbeddingsCalculatorOVOptions
from calcgraph.runtime.config import GraphConfig, read_graph
from calcgraph.runtime.errors import NOWHERE, Code, GraphError
from calcgraph.runtime.options import OptionSet
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.struct_options import MissingOption, StructOptions

ANY = "type.googleapis.com/mediapipe.PacketThinnerCalculatorOptions"
EXT = "mediapipe.PacketThinnerCalculatorOptions.ext"


def given(text):
    """The options of a node whose body is `text`."""
    config = read_graph(f"node {{\n{text}\n}}", "g.pbtxt")
    return OptionSet.of_node(config.proto.node[0], config.location("node", 0))


def decoded(text, kind):
    problems = Problems()
    message = given(text).get(kind, problems)
    problems.raise_if_any()
    return message


@pytest.mark.parametrize(
    "text",
    [
        f"options {{ [{EXT}] {{ period: 5 }} }}",
        f"options: {{ [{EXT}]: <period: 5> }}",
        f"node_options {{ [{ANY}] {{ period: 5 }} }}",
        f"node_options: {{ [{ANY}]: {{ period: 5, }} }}",
        f"node_options <[{ANY}] <period: 5;>>",
        f"node_options: [{{ [{ANY}] {{ period: 5 }} }}]",
        "node_options { [ type.googleapis.com / mediapipe.PacketThinnerCalculatorOptions ]: { period: 5 } }",
        "node_options { [any.host/at/all/mediapipe.PacketThinnerCalculatorOptions] { period: 5 } }",
        "node_options { [x/mediapipe.PacketThinnerCalculatorOptions] { # five\n period: 5 } }",
        f'node_options {{ type_url: "{ANY}" value: "\\020\\005" }}',
    ],
)
def test_o3_o4_every_way_to_write_options_means_the_same(text):
    assert decoded(text, Thinner) == Thinner(period=5)


def test_o1_no_options_are_default_options():
    assert decoded("", Thinner) == Thinner()


def test_o1_op1_options_beat_node_options_of_the_same_type():
    text = f"node_options {{ [{ANY}] {{ period: 222 }} }} options {{ [{EXT}] {{ period: 111 }} }}"
    assert decoded(text, Thinner) == Thinner(period=111)


def test_o1_op1_options_of_two_types_are_told_apart():
    text = (
        f"options {{ [{EXT}] {{ period: 1 }} }}"
        "node_options { [a/calcgraph.PoolingOptions] { pooling: LAST } }"
    )
    assert decoded(text, Thinner).period == 1
    assert decoded(text, PoolingOptions).pooling == PoolingOptions.LAST
    assert decoded(text, core_calculators_pb2.GateCalculatorOptions).ByteSize() == 0


def test_o1_binary_options_are_read_as_extension_and_as_any():
    node = graph_pb2.CalculatorGraphConfig.Node()
    node.options.Extensions[Thinner.ext].period = 7
    assert OptionSet.of_node(node, NOWHERE).get(Thinner, Problems()).period == 7
    node.Clear()
    node.node_options.add().Pack(Thinner(period=8))
    data = graph_pb2.CalculatorGraphConfig(node=[node]).SerializeToString()
    node = GraphConfig.from_binary(data).proto.node[0]
    assert OptionSet.of_node(node, NOWHERE).get(Thinner, Problems()).period == 8


@pytest.mark.parametrize("field", ["options", "node_options"])
def test_o2_one_type_twice_is_an_error_that_names_it(field):
    block = f"[{EXT}] {{}}" if field == "options" else f"[{ANY}] {{}}"
    text = (
        f"{field} {{ {block} {block} }}" if field == "options" else f"{field} {{ {block} }}\n" * 2
    )
    problems = Problems()
    given(text).report_duplicates(problems)
    (problem,) = problems.in_order()
    assert "'mediapipe.PacketThinnerCalculatorOptions' specified more than once" in problem.message
    assert problem.code is Code.UNKNOWN


def test_options_travel_with_their_node_wherever_it_is_copied():
    """Rule O7."""
    config = read_graph(f"node {{ node_options {{ [{ANY}] {{\n period: x }} }} }}", "g.pbtxt")
    copied = graph_pb2.CalculatorGraphConfig()
    copied.node.add().CopyFrom(config.proto.node[0])
    moved = GraphConfig.from_binary(copied.SerializeToString())
    problems = Problems()
    OptionSet.of_node(moved.proto.node[0], NOWHERE).get(Thinner, problems)
    assert str(problems.in_order()[0].location) == "g.pbtxt:2:10"


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (
            PoolingOptions,
            "pooling: MAEN",
            "4:10: 'pooling' of calcgraph.PoolingOptions: found MAEN, ",
        ),
        (PoolingOptions, "pooling: MAEN", "expected one of CLS, LAST, MEAN; did you mean 'MEAN'?"),
        (PoolingOptions, "pooling: 'MEAN'", "found 'MEAN', expected one of CLS, LAST, MEAN"),
        (PoolingOptions, "pooling: 7", "found 7, expected one of CLS, LAST, MEAN"),
        (PoolingOptions, "poling: MEAN", "has no field 'poling'; did you mean 'pooling'?"),
        (PoolingOptions, "pooling: CLS pooling: CLS", "'pooling' is given twice"),
        (
            EmbeddingsCalculatorOVOptions,
            "truncate: 1.0",
            "found 1.0, expected true or false",
        ),
        (
            EmbeddingsCalculatorOVOptions,
            "target_device: CPU",
            'found CPU, expected a string in quotes, for example "CPU"',
        ),
        (
            EmbeddingsCalculatorOVOptions,
            "truncate: true",
            "3:3: the options mediapipe.EmbeddingsCalculatorOVOptions lack 'models_path'",
        ),
        (
            PoolingOptions,
            "[a.B.ext] {}",
            "'[a.B.ext]' is no known extension of calcgraph.PoolingOptions",
        ),
    ],
)
def test_a_wrong_option_says_where_what_was_found_and_what_was_expected(kind, body, expected):
    name = kind.DESCRIPTOR.full_name
    with pytest.raises(GraphError) as caught:
        decoded(f"node_options: {{\n  [x/{name}]: {{\n{body}\n}}\n}}", kind)
    assert expected in str(caught.value)


def test_damaged_binary_options_are_an_error():
    text = f'node_options {{ type_url: "{ANY}" value: "\\377" }}'
    with pytest.raises(GraphError, match=r"the options .* are damaged"):
        decoded(text, Thinner)


def plugin_message():
    """A message class from a descriptor pool that is neither ours nor protobuf's default one."""
    file = descriptor_pb2.FileDescriptorProto(
        name="plugin.proto", package="plugin", syntax="proto3"
    )
    message = file.message_type.add(name="Options")
    label = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    kind = descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE
    message.field.add(name="ratio", number=1, label=label, type=kind)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("plugin.Options"))


def test_o1_a_plugins_message_may_live_in_any_descriptor_pool():
    kind = plugin_message()
    assert decoded("node_options { [x/plugin.Options] { ratio: 0.5 } }", kind).ratio == 0.5


@pytest.mark.parametrize(
    "body",
    [
        'dimensions: 128 name: "x" sizes: [1, 2.5] deep { on: true, off: false } none: null',
        "dimensions: 128.0, name: 'x'; sizes: [1, 2.5] deep: < on: true off: false > none: null",
        'fields { key: "dimensions" value { number_value: 128 } }'
        'fields { key: "name" value { string_value: "x" } }'
        'fields { key: "sizes" value { list_value { values { number_value: 1 }'
        " values { number_value: 2.5 } } } }"
        'fields { key: "deep" value { struct_value { fields { key: "on" value { bool_value: true } }'
        ' fields { key: "off" value { bool_value: false } } } } }'
        'fields { key: "none" value { null_value: NULL_VALUE } }',
    ],
    ids=["pleasant", "pleasant too", "protobuf's own"],
)
def test_a_struct_may_be_written_in_two_forms(body):
    text = f"node_options {{ [type.googleapis.com/google.protobuf.Struct] {{ {body} }} }}"
    options = StructOptions.from_struct(decoded(text, Struct))
    assert dict(options) == {
        "dimensions": 128,
        "name": "x",
        "sizes": [1, 2.5],
        "deep": {"on": True, "off": False},
        "none": None,
    }
    assert isinstance(options["dimensions"], int)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a: word", 'found word, expected a number, true, false, null or a string: "word"'),
        ("a: 1 a: 2", "'a' is given twice; several values are a list: a: [a, b]"),
        ("[x.y] {}", "'[x.y]' in a Struct, expected `key: value`"),
        ('fields { key: "a" value { number: 1 } }', "found number, expected one of null_value, "),
        ("fields { key: a value { number_value: 1 } }", 'expected `key: "name"` in quotes'),
        ('fields { key: "a" }', "expected `value { number_value: 1 }` or the like"),
        (r'a: "\xff"', "expected correct escapes and UTF-8"),
    ],
)
def test_a_wrong_struct_is_an_error_with_its_place(body, expected):
    with pytest.raises(GraphError) as caught:
        decoded(f"node_options {{ [x/google.protobuf.Struct] {{ {body} }} }}", Struct)
    assert "g.pbtxt:2:" in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("number", "value"), [("0x10", 16), ("-3", -3), ("1e3", 1000), ("-0.5f", -0.5)]
)
def test_numbers_in_a_struct_are_read_as_anywhere_else(number, value):
    struct = decoded(f"node_options {{ [x/google.protobuf.Struct] {{ n: {number} }} }}", Struct)
    assert StructOptions.from_struct(struct)["n"] == value


def test_a_struct_option_that_is_missing_is_named_with_its_nearest():
    options = StructOptions({"dimensions": 128})
    with pytest.raises(
        MissingOption, match="no option 'dimension', found 'dimensions'; did you mean"
    ):
        options["dimension"]
    assert options.get("dimension", 7) == 7
    assert "dimension" not in options
    assert options.dimensions == 128
    assert not hasattr(options, "size")
