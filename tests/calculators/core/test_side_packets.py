import pytest
from core_run import Run, node

from calcgraph.proto.formats_pb2 import MatrixData
from calcgraph.runtime.errors import Code, GraphError, RunError


def side_packet(graph, name="out", side_packets=None):
    with Run(graph, "", "", side_packets) as running:
        running.finish()
        return running.graph.get_output_side_packet(name).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("int_value: -2", -2),
        ("float_value: 0.5", 0.5),
        ("bool_value: true", True),
        ('string_value: "text"', "text"),
        ("uint64_value: 18446744073709551615", 2**64 - 1),
        ("double_value: 0.1", 0.1),
        ("int64_value: -9223372036854775808", -(2**63)),
        ('string_vector_value { string_value: "a" string_value: "b" }', ["a", "b"]),
        (
            "matrix_data_value { rows: 1 cols: 1 packed_data: 2 }",
            MatrixData(rows=1, cols=1, packed_data=[2]),
        ),
    ],
)
def test_a_constant_is_what_the_options_say(text, value):
    graph = node(
        "ConstantSidePacketCalculator", side_out="PACKET:out", options=f"packet {{ {text} }}"
    )
    found = side_packet(graph)
    assert found == value
    assert type(found) is type(value)


def test_several_constants():
    graph = node(
        "ConstantSidePacketCalculator",
        side_out="PACKET:1:second PACKET:0:first",
        options="packet { int_value: 256 } packet { bool_value: false }",
    )
    assert side_packet(graph, "first") == 256
    assert side_packet(graph, "second") is False


@pytest.mark.parametrize(
    ("outputs", "options", "message"),
    [
        ("PACKET:a", "", "found 1 side packets, 0 packets"),
        ("PACKET:0:a PACKET:1:b", "packet { int_value: 1 }", "found 2 side packets, 1 packets"),
        ("PACKET:a", "packet { }", "None of supported values were specified"),
    ],
)
def test_wrong_constants_are_refused(outputs, options, message):
    with pytest.raises(GraphError, match=message):
        Run(node("ConstantSidePacketCalculator", side_out=outputs, options=options), "")


@pytest.mark.parametrize(("given", "value"), [({"optional": 7}, 7), ({}, 1)])
def test_the_default_stands_in_for_what_is_not_given(given, value):
    graph = node(
        "DefaultSidePacketCalculator",
        side="OPTIONAL_VALUE:optional DEFAULT_VALUE:default",
        side_out="VALUE:out",
    )
    assert side_packet(graph, side_packets={"default": 1, **given}) == value


def test_a_default_is_needed():
    with pytest.raises(GraphError, match="DEFAULT_VALUE"):
        Run(node("DefaultSidePacketCalculator", side="OPTIONAL_VALUE:o", side_out="VALUE:out"), "")


def parsed(calculator, text):
    return side_packet(node(calculator, side="text", side_out="out"), side_packets={"text": text})


@pytest.mark.parametrize(
    ("calculator", "text", "number"),
    [
        ("StringToIntCalculator", "42", 42),
        ("StringToInt32Calculator", " -2147483648 ", -(2**31)),
        ("StringToIntCalculator", "+7", 7),
        ("StringToUintCalculator", "4294967295", 2**32 - 1),
        ("StringToUint32Calculator", "0", 0),
        ("StringToInt64Calculator", "-9223372036854775808", -(2**63)),
        ("StringToUint64Calculator", "18446744073709551615", 2**64 - 1),
    ],
)
def test_a_string_is_read_as_a_number(calculator, text, number):
    assert parsed(calculator, text) == number


@pytest.mark.parametrize(
    ("calculator", "text"),
    [
        ("StringToIntCalculator", "2147483648"),
        ("StringToIntCalculator", "1.0"),
        ("StringToIntCalculator", ""),
        ("StringToIntCalculator", "0x10"),
        ("StringToIntCalculator", "1_000"),
        ("StringToIntCalculator", "٣"),
        ("StringToUintCalculator", "-1"),
        ("StringToUint64Calculator", "18446744073709551616"),
    ],
)
def test_any_other_string_is_an_error(calculator, text):
    with pytest.raises(RunError, match="could not be parsed as an integer") as caught:
        parsed(calculator, text)
    assert caught.value.code is Code.INVALID_ARGUMENT
