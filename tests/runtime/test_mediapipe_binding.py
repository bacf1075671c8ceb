"""Code written against MediaPipe's Python binding runs here once its imports are changed."""

import pytest

from calcgraph.runtime import (
    CalculatorGraph,
    GraphInputStreamAddMode,
    Timestamp,
    ValidatedGraphConfig,
    packet_creator,
    packet_getter,
)

PASS_THROUGH = """
max_queue_size: 1
input_stream: 'in'
output_stream: 'out'
node { calculator: 'PassThroughCalculator' input_stream: 'in' output_stream: 'out' }
"""


def validated(text):
    config = ValidatedGraphConfig()
    config.initialize(graph_config=text)
    return {"validated_graph_config": config}


@pytest.mark.parametrize(
    "given", [lambda text: {"graph_config": text}, validated], ids=["text", "validated"]
)
def test_a_graph_from_start_to_end(given):
    hello = packet_creator.create_string("hello world")
    out = []
    graph = CalculatorGraph(**given(PASS_THROUGH))
    graph.observe_output_stream("out", lambda _, packet: out.append(packet))
    graph.start_run()
    graph.add_packet_to_input_stream(stream="in", packet=hello, timestamp=0)
    graph.add_packet_to_input_stream(stream="in", packet=hello.at(1))
    graph.add_packet_to_input_stream("in", hello, Timestamp(2))
    graph.close()
    assert graph.graph_input_stream_add_mode == GraphInputStreamAddMode.WAIT_TILL_NOT_FULL
    assert graph.max_queue_size == 1
    assert not graph.has_error()
    assert graph.get_combined_error_message() == ""
    assert [packet.timestamp for packet in out] == [0, 1, 2]
    assert {packet_getter.get_str(packet) for packet in out} == {"hello world"}


def test_a_side_packet_made_by_the_graph():
    graph = CalculatorGraph(
        graph_config="""
        node {
          calculator: 'StringToUint64Calculator'
          input_side_packet: "string"
          output_side_packet: "number"
        }"""
    )
    graph.start_run(input_side_packets={"string": packet_creator.create_string("42")})
    graph.wait_until_done()
    assert packet_getter.get_uint(graph.get_output_side_packet("number")) == 42


def test_the_same_time_twice():
    """The error comes with the call that made it; MediaPipe's comes with the next one."""
    graph = CalculatorGraph(graph_config=PASS_THROUGH)
    graph.start_run()
    packet = packet_creator.create_string("hello world").at(0)
    graph.add_packet_to_input_stream("in", packet)
    text = r"Current minimum expected timestamp is 1 but received 0\."
    with pytest.raises(ValueError, match=text):
        graph.add_packet_to_input_stream("in", packet)
    with pytest.raises(ValueError, match=text):
        graph.wait_until_idle()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "node { calculator: 'Unknown' input_stream: 'in' output_stream: 'out' }",
            RuntimeError,
            'Unable to find Calculator "Unknown"',
        ),
        (
            "node { calculator: 'PassThroughCalculator' input_stream: 'in' input_stream: 'in'"
            " output_stream: 'out' }",
            ValueError,
            "must use matching tags and indexes",
        ),
    ],
    ids=["unknown", "mismatched"],
)
def test_graphs_that_are_refused(text, error, message):
    with pytest.raises(error, match=message):
        CalculatorGraph(graph_config=text)
