import pytest
from core_run import Run, at, node, run

from calcgraph.runtime.errors import Code, GraphError, RunError
from calcgraph.runtime.timestamp import POST_STREAM, PRE_STREAM


@pytest.mark.parametrize(
    ("tag", "time"), [("AT_PRESTREAM", PRE_STREAM), ("AT_POSTSTREAM", POST_STREAM), ("AT_ZERO", 0)]
)
def test_a_side_packet_goes_out_at_the_time_of_the_tag(tag, time):
    graph = node("SidePacketToStreamCalculator", "", f"{tag}:out", side="s")
    assert run(graph, {}, side_packets={"s": 10}) == {"out": [(time, 10)]}


def test_it_goes_out_at_every_tick():
    graph = node("SidePacketToStreamCalculator", "TICK:tick", "AT_TICK:out", side="s")
    assert run(graph, {"tick": at([1, 3])}, side_packets={"s": "x"}) == {
        "out": [(1, "x"), (3, "x")]
    }


def test_it_goes_out_at_the_time_of_another_side_packet():
    graph = node("SidePacketToStreamCalculator", "", "AT_TIMESTAMP:out", side="s TIMESTAMP:t")
    assert run(graph, {}, side_packets={"s": "x", "t": 17}) == {"out": [(17, "x")]}


def test_several_side_packets_go_to_as_many_streams():
    graph = node("SidePacketToStreamCalculator", "", "AT_ZERO:0:a AT_ZERO:1:b", side="s t")
    assert run(graph, {}, "a b", {"s": 1, "t": 2}) == {"a": [(0, 1)], "b": [(0, 2)]}


@pytest.mark.parametrize(
    ("inputs", "outputs", "side", "message"),
    [
        ("", "BAD:a", "s", "Only one of AT_PRESTREAM"),
        ("", "AT_ZERO:a AT_PRESTREAM:b", "s t", "Only one of AT_PRESTREAM"),
        ("", "AT_TICK:a", "s", "Either both of TICK and AT_TICK"),
        ("TICK:in", "AT_ZERO:a", "s", "Either both of TICK and AT_TICK"),
        ("", "AT_TIMESTAMP:a", "s", "Either both TIMESTAMP and AT_TIMESTAMP"),
        ("", "AT_ZERO:a", "s TIMESTAMP:t", "Either both TIMESTAMP and AT_TIMESTAMP"),
        ("", "AT_ZERO:0:a AT_ZERO:1:b", "s", "found 1, expected 2"),
        ("", "AT_ZERO:a", "s t", "found 2, expected 1"),
    ],
)
def test_ports_that_do_not_match_are_refused(inputs, outputs, side, message):
    with pytest.raises(GraphError, match=message) as caught:
        Run(node("SidePacketToStreamCalculator", inputs, outputs, side=side), "", "in")
    assert caught.value.code is Code.INTERNAL


def test_the_one_packet_of_a_stream_becomes_a_side_packet():
    with Run(node("StreamToSidePacketCalculator", "in", side_out="s"), "", "in") as running:
        running.send("in", (5, "x"))
        running.finish()
        assert running.graph.get_output_side_packet("s").value == "x"


def test_a_stream_of_two_packets_does_not():
    with pytest.raises(RunError, match="was already set"):
        run(node("StreamToSidePacketCalculator", "in", side_out="s"), {"in": at([5, 6])}, "")


def test_there_and_back_again():
    graph = node("SidePacketToStreamCalculator", "", "AT_PRESTREAM:stream", side="s") + node(
        "StreamToSidePacketCalculator", "stream", side_out="out"
    )
    with Run(graph, "", "", {"s": "x"}) as running:
        running.finish()
        assert running.graph.get_output_side_packet("out").value == "x"
