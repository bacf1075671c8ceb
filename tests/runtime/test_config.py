"""From graph.pbtxt to a config that knows its lines."""

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from calcgraph.proto import graph_pb2
from calcgraph.proto.pool import POOL
from calcgraph.runtime.config import GraphConfig, as_graph_config, read_graph
from calcgraph.runtime.errors import Code, GraphError

GRAPH = """\
# OVMS_GRAPH_QUEUE_MAX_SIZE: AUTO
#MODEL: a b:c
# a remark: not a directive
input_stream: "IN:in"
node {
  calculator: "A"
  input_stream: "IN:in"
  input_stream: "X:x"
}
node { calculator: "B" }
"""


def test_every_field_knows_its_place():
    config = read_graph(GRAPH, "g.pbtxt")
    assert str(config.location("input_stream", 0)) == "g.pbtxt:4:1"
    assert str(config.location("node", 0, "calculator")) == "g.pbtxt:6:3"
    assert str(config.location("node", 0, "input_stream", 1)) == "g.pbtxt:8:3"
    assert str(config.location("node", 1)) == "g.pbtxt:10:1"


def test_what_is_not_in_the_file_is_placed_at_what_encloses_it():
    config = read_graph(GRAPH, "g.pbtxt")
    assert config.location("node", 0, "executor") == config.location("node", 0)
    assert str(config.location("num_threads")) == "g.pbtxt"


def test_directives_are_comments_in_capitals():
    config = read_graph(GRAPH)
    assert config.directives == {"OVMS_GRAPH_QUEUE_MAX_SIZE": "AUTO", "MODEL": "a b:c"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "node {\n  calculater: 'A'\n}",
            "g:2:3: CalculatorGraphConfig.Node has no field 'calculater'; did you mean 'calculator'?",
        ),
        (
            "zzz: 1",
            "g:1:1: CalculatorGraphConfig has no field 'zzz', expected node, ",
        ),
        (
            "node { max_in_flight: 'two' }",
            "g:1:23: 'max_in_flight' of CalculatorGraphConfig.Node: found 'two', "
            "expected a whole number (int32)",
        ),
        ("num_threads: 1.5", "found 1.5, expected a whole number (int32)"),
        ("num_threads: 3000000000", "expected a whole number between -2147483648 and 2147483647"),
        ("report_deadlock: yes", "found yes, expected true or false"),
        ("report_deadlock: tru", "found tru, expected true or false; did you mean 'true'?"),
        ("type: Name", 'found Name, expected a string in quotes, for example "Name"'),
        (r'type: "\777"', "expected a string with correct escapes and UTF-8"),
        (r'type: "\xff"', "expected a string with correct escapes and UTF-8"),
        ("node: 1", "'node' of CalculatorGraphConfig: found 1, expected a message in { }"),
        (
            "type { }",
            "'type' of CalculatorGraphConfig: found a message, expected a string in quotes",
        ),
        ("type: 'a' type: 'b'", "g:1:11: 'type' is given twice, expected it once"),
        ("type: ['a', 'b']", "'type' takes one value, found a list"),
        ("[a.B.ext] { }", "'[a.B.ext]' is no known extension of CalculatorGraphConfig"),
        ("[x/a.B] { }", "'[x/a.B]' stands in CalculatorGraphConfig, expected a field of it"),
        ("node { options { [a.B.ext]: 1 } }", "'[a.B.ext]': expected one message in { }"),
        (
            "node { options { a: 1 } }",
            "CalculatorOptions has no field 'a', expected merge_fields",
        ),
    ],
)
def test_a_typo_is_an_error_with_its_place(text, expected):
    with pytest.raises(GraphError) as caught:
        read_graph(text, "g")
    assert expected in str(caught.value)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert isinstance(caught.value, ValueError)


def test_all_mistakes_are_reported_at_once_in_file_order():
    with pytest.raises(GraphError) as caught:
        read_graph("node {\n nam: 'a'\n max_in_flight: x\n}\nnodes { }", "g")
    assert [problem.location.line for problem in caught.value.problems] == [2, 3, 5]


def test_hundreds_of_mistakes_still_make_a_short_error():
    with pytest.raises(GraphError) as caught:
        read_graph("\n".join(f"a{n}: 1" for n in range(500)))
    assert len(str(caught.value).splitlines()) == 41
    assert str(caught.value).endswith("and 460 more mistakes")


@pytest.mark.parametrize("value", ["3", "0x3", "03"])
def test_integers_are_decimal_octal_or_hexadecimal(value):
    assert read_graph(f"num_threads: {value}").proto.num_threads == 3


@pytest.mark.parametrize("value", ["true", "True", "t", "1"])
def test_booleans_have_protobufs_spellings(value):
    assert read_graph(f"report_deadlock: {value}").proto.report_deadlock


def test_a_binary_graph_equals_its_text():
    text = read_graph(GRAPH)
    binary = GraphConfig.from_binary(text.proto.SerializeToString(), "g.binarypb")
    assert binary.proto == text.proto
    assert str(binary.location("node", 0)) == "g.binarypb"


def test_a_file_is_text_or_binary_by_its_name(tmp_path):
    (tmp_path / "g.pbtxt").write_text(GRAPH)
    (tmp_path / "g.binarypb").write_bytes(read_graph(GRAPH).proto.SerializeToString())
    text = GraphConfig.from_file(tmp_path / "g.pbtxt")
    assert text.proto == GraphConfig.from_file(tmp_path / "g.binarypb").proto
    with pytest.raises(FileNotFoundError):
        GraphConfig.from_file(tmp_path / "missing.pbtxt")


@pytest.mark.parametrize("name", ["g.pbtxt", "g.binarypb"])
def test_bytes_that_are_no_graph_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(GraphError, match=name):
        GraphConfig.from_file(tmp_path / name)


def test_a_config_is_accepted_as_text_as_message_and_as_read():
    proto = graph_pb2.CalculatorGraphConfig(type="T")
    read = as_graph_config('type: "T"')
    assert read.proto == as_graph_config(proto).proto
    assert as_graph_config(read) is read


def test_a_config_is_a_copy_of_the_message_it_was_made_from():
    proto = graph_pb2.CalculatorGraphConfig(type="T")
    config = as_graph_config(proto)
    proto.type = "changed"
    assert config.proto.type == "T"


def test_any_other_message_is_refused():
    with pytest.raises(GraphError, match="InputStreamInfo, expected a"):
        as_graph_config(graph_pb2.InputStreamInfo())


LINES = st.sampled_from(
    [
        *(
            "node { calculator: 'a' }",
            "node: < name: 'n' >",
            "node [{name: 'a'}, {}]",
            "node {",
            "}",
            ">",
        ),
        *("input_stream: 'x'", "input_stream: ['a', 'b'],", "input_stream: []", "input_stream: x"),
        *(
            "num_threads: 1",
            "num_threads: 0x1F",
            "num_threads: 010",
            "num_threads: 09",
            "num_threads: 1.5",
        ),
        *(
            "num_threads: 1f",
            "num_threads: 1e3",
            "num_threads: 4294967296",
            "num_threads: -2147483648",
        ),
        *("max_queue_size: -1;", "max_queue_size: true", "max_queue_size: '1'", "max_queue_size:"),
        *(
            "report_deadlock: true",
            "report_deadlock: t",
            "report_deadlock: 1",
            "report_deadlock: TRUE",
        ),
        *(
            "type: 'a' \"b\"",
            "type: '\\x41\\102\\n'",
            "type: '\\303\\251'",
            "type: '\\377'",
            "type: a",
        ),
        *("executor <name: 'e',>", "executor { options { } }", "executor { options { x: 1 } }"),
        *("profiler_config { trace_event_types_disabled: [1, 2] }", "input_stream_handler { }"),
        *("nodes { }", "# a comment", "[a.b] { }", "type 'a'", "report_deadlock { }", "[", ";"),
    ]
)


@given(st.lists(LINES, max_size=5), st.sampled_from(["\n", " "]))
def test_what_is_read_is_what_protobufs_own_reader_reads(lines, separator):
    text = separator.join(lines)
    try:
        theirs = text_format.Parse(text, graph_pb2.CalculatorGraphConfig(), descriptor_pool=POOL)
    except text_format.ParseError:
        with pytest.raises(GraphError):
            read_graph(text)
    else:
        assert read_graph(text).proto == theirs
