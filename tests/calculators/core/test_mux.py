import pytest
from core_run import Run, at, node, run, seen

from calcgraph.runtime.errors import Code, GraphError, RunError

MUX = "INPUT:0:a INPUT:1:b INPUT:2:c"
IMMEDIATE = 'input_stream_handler { input_stream_handler: "ImmediateInputStreamHandler" }'
DEFAULT = 'input_stream_handler { input_stream_handler: "DefaultInputStreamHandler" }'
FIBONACCI = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]


@pytest.mark.parametrize("handler", ["", DEFAULT], ids=["Mux", "Default"])
def test_select_picks_the_input(handler):
    times = [22, 23, 24, 25]
    packets = {
        "a": at(times, ["a0", "a1", "a2", "a3"]),
        "b": at(times, ["b0", "b1", "b2", "b3"]),
        "c": at(times, ["c0", "c1", "c2", "c3"]),
        "select": at(times, [1, 2, 0, 2]),
    }
    graph = node("MuxCalculator", f"{MUX} SELECT:select", "OUTPUT:out", extra=handler)
    assert seen(graph, packets) == at(times, ["b0", "c1", "a2", "c3"])


@pytest.mark.parametrize(("select", "values"), [(0, ["a0", "a1"]), (1, ["b0", "b1"])])
def test_a_side_packet_may_select_once_for_all(select, values):
    packets = {"a": at([1, 2], ["a0", "a1"]), "b": at([1, 2], ["b0", "b1"])}
    graph = node("MuxCalculator", "INPUT:0:a INPUT:1:b", "OUTPUT:out", side="SELECT:s")
    assert seen(graph, packets, side_packets={"s": select}) == at([1, 2], values)


def test_it_waits_for_the_selected_input_only():
    graph = node("MuxCalculator", "INPUT:0:a INPUT:1:b SELECT:select", "OUTPUT:out")
    with Run(graph, inputs="a b select") as running:
        running.send("select", (5, 1))
        running.send("b", (5, "b"))
        assert running.idle() == {"out": [(5, "b")]}


def test_a_selection_out_of_range_is_an_error():
    graph = node("MuxCalculator", "INPUT:0:a INPUT:1:b SELECT:select", "OUTPUT:out", extra=DEFAULT)
    with pytest.raises(RunError, match="SELECT is 2, expected 0 to 1") as caught:
        run(graph, {"a": at([1]), "b": at([1]), "select": [(1, 2)]})
    assert caught.value.code is Code.INTERNAL


@pytest.mark.parametrize("ports", [{"side": "SELECT:s"}, {}], ids=["both", "neither"])
def test_there_is_one_select(ports):
    inputs = "INPUT:a SELECT:select" if ports else "INPUT:a"
    with pytest.raises(
        GraphError, match="SELECT is either an input stream or an input side packet"
    ):
        Run(node("MuxCalculator", inputs, "OUTPUT:out", **ports), "", "a select", {"s": 1})


def test_round_robin_and_back_is_the_stream_itself():
    graph = node(
        "RoundRobinDemuxCalculator", "in", "OUTPUT:0:s0 OUTPUT:1:s1 OUTPUT:2:s2 SELECT:select"
    ) + node("MuxCalculator", "INPUT:0:s0 INPUT:1:s1 INPUT:2:s2 SELECT:select", "OUTPUT:out")
    times = list(range(22, 32))
    outputs = run(graph, {"in": at(times, FIBONACCI)}, "out s1 select")
    assert outputs["out"] == at(times, FIBONACCI)
    assert outputs["s1"] == [(23, 1), (26, 5), (29, 21)]
    assert outputs["select"] == at(times, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0])


def test_demux_tells_the_outputs_that_are_not_selected_not_to_wait():
    graph = node("DemuxCalculator", "INPUT:in SELECT:select", "OUTPUT:0:a OUTPUT:1:b") + node(
        "PassThroughCalculator", "a b", "a2 b2"
    )
    with Run(graph, "a2 b2", "in select") as running:
        running.send("in", (1, "x"))
        running.send("select", (1, 1))
        assert running.idle() == {"a2": [], "b2": [(1, "x")]}


@pytest.mark.parametrize("select", [[0, 1, 0, 0, 1, 0, 1, 1, 1, 0]])
def test_if_then_else(select):
    """Case IF1, with branches of different length: the answer is there after each packet."""
    graph = (
        node("DemuxCalculator", "INPUT:in SELECT:select", "OUTPUT:0:if OUTPUT:1:else")
        + node("PassThroughCalculator", "if", "if2")
        + node("PassThroughCalculator", "if2", "if3")
        + node("MuxCalculator", "INPUT:0:if3 INPUT:1:else SELECT:select", "OUTPUT:out")
    )
    with Run(graph, inputs="in select") as running:
        for time, choice in enumerate(select, start=1):
            running.send("select", (time, choice))
            running.send("in", (time, time))
            assert running.idle()["out"][-1] == (time, time)
        assert running.finish()["out"] == at(range(1, 11))


def test_merge_takes_the_first_input_that_has_a_packet():
    packets = {"a": at([2, 4], ["a2", "a4"]), "b": at([1, 2, 3], ["b1", "b2", "b3"])}
    assert seen(node("MergeCalculator", "a b", "out"), packets) == at(
        [1, 2, 3, 4], ["b1", "a2", "b3", "a4"]
    )


def test_merge_takes_streams_of_different_types():
    outputs = seen(
        node("MergeCalculator", "a b c", "out"), {"a": [(3, 1)], "b": [(2, "2")], "c": [(1, None)]}
    )
    assert outputs == [(1, None), (2, "2"), (3, 1)]


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ("", "out", "Needs at least one input stream"),
        ("in", "out out2", "a merge has one output stream"),
    ],
)
def test_merge_has_inputs_and_one_output(inputs, outputs, message):
    with pytest.raises(GraphError, match=message):
        Run(node("MergeCalculator", inputs, outputs), "", "in")


def test_immediate_mux_drops_what_comes_too_late():
    graph = node("ImmediateMuxCalculator", "a b", "out finished", extra=IMMEDIATE)
    with Run(graph, "out finished", "a b") as running:
        for stream, time in [("a", 1), ("b", 2), ("a", 5), ("b", 3), ("b", 6)]:
            running.send(stream, (time, stream))
            running.idle()
        outputs = running.finish()
    assert outputs["out"] == [(1, "a"), (2, "b"), (5, "a"), (6, "b")]
    assert outputs["finished"] == [(time, True) for time in (1, 2, 5, 6, 7)]


def test_immediate_mux_under_the_default_handler_prefers_the_first_input():
    packets = {"a": at([1, 2], ["a1", "a2"]), "b": at([2, 3], ["b2", "b3"])}
    assert seen(node("ImmediateMuxCalculator", "a b", "out"), packets) == at(
        [1, 2, 3], ["a1", "a2", "b3"]
    )
