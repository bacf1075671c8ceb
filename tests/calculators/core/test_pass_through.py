import pytest
from core_run import Run, node, run

from calcgraph.runtime.errors import GraphError
from calcgraph.runtime.timestamp import POST_STREAM, PRE_STREAM


def test_every_packet_goes_to_the_output_of_the_same_tag_and_index():
    outputs = run(
        node("PassThroughCalculator", "a B:b C:1:d C:0:c", "a2 B:b2 C:1:d2 C:0:c2"),
        {"a": [(1, "a")], "b": [(1, "b"), (2, "b")], "c": [(3, "c")], "d": [(2, "d")]},
        "a2 b2 c2 d2",
    )
    assert outputs == {
        "a2": [(1, "a")],
        "b2": [(1, "b"), (2, "b")],
        "c2": [(3, "c")],
        "d2": [(2, "d")],
    }


@pytest.mark.parametrize("time", [PRE_STREAM, POST_STREAM], ids=["PreStream", "PostStream"])
def test_special_times_pass_too(time):
    assert run(node("PassThroughCalculator", "in", "out"), {"in": [(time, 1)]}) == {
        "out": [(time, 1)]
    }


def test_side_packets_pass_when_there_are_outputs_for_them():
    graph = node("PassThroughCalculator", side="a B:b", side_out="a2 B:b2")
    with Run(graph, "", "", {"a": 1, "b": "two"}) as running:
        running.finish()
        assert running.graph.get_output_side_packet("a2").value == 1
        assert running.graph.get_output_side_packet("b2").value == "two"


def test_its_calls_are_counted():
    with Run(node("PassThroughCalculator", "in", "out"), inputs="in") as running:
        running.send("in", (1, 1), (2, 2), (3, 3))
        running.finish()
        assert running.graph.counters.values() == {"PassThroughCalculator-PassThrough": 3}


@pytest.mark.parametrize(
    ("ports", "what"),
    [
        ({"inputs": "in", "outputs": "A:out"}, "streams"),
        ({"inputs": "A:in", "outputs": "A:0:out A:1:out2"}, "streams"),
        ({"inputs": "in", "outputs": "out", "side": "a", "side_out": "B:b"}, "side packets"),
    ],
)
def test_ports_that_do_not_match_are_refused(ports, what):
    text = f"Input and output {what} to PassThroughCalculator must use matching tags and indexes"
    with pytest.raises(GraphError, match=text):
        Run(node("PassThroughCalculator", **ports), inputs="in")
