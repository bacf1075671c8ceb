import pytest
from core_run import SETTLED, Run, at, node, run

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.contract import optional
from calcgraph.runtime.errors import Code, GraphError
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.registry import register


@register
class TripleInt(Calculator):
    """Three times the stream, and three times the side packet."""

    inputs = {"": optional(int)}
    outputs = {"": optional(int)}
    input_side_packets = {"": optional(int)}
    output_side_packets = {"": optional(int)}
    light = True

    def open(self, cc):
        if 0 in cc.output_side_packets:
            cc.output_side_packets[0].set(3 * cc.input_side_packets[0].value)

    def process(self, cc):
        cc.outputs[0].add(3 * cc.inputs[0].value)


CONTAINED = (
    'contained_node { calculator: "TripleInt" } '
    'contained_node { calculator: "PassThroughCalculator" }'
)


def container(inputs="foo", outputs="bar", side="", side_out="", options=""):
    return node(
        "SwitchContainer",
        inputs,
        outputs,
        side=side,
        side_out=side_out,
        options=f"{options} {CONTAINED}",
    )


BESIDE = node("PassThroughCalculator", "foo bar", "foo2 bar2")


@pytest.mark.parametrize("selector", ["ENABLE", "SELECT"])
def test_a_selection_holds_until_the_next_one(selector):
    """Rule G9."""
    """Rule G9."""
    graph = container(f"{selector}:choice foo") + BESIDE
    on, off = (True, False) if selector == "ENABLE" else (1, 0)
    with Run(graph, "foo2 bar2", "foo choice") as running:
        running.send("choice", (5_000, on))
        for n in range(1, 4):
            running.send("foo", (n * 10_000, n))
            running.bound("choice", n * 10_000 + 1)
            assert running.idle()["bar2"][-1] == (n * 10_000, n)
        running.send("choice", (35_000, off))
        for n in range(4, 7):
            running.send("foo", (n * 10_000, n))
            running.bound("choice", n * 10_000 + 1)
            assert running.idle()["bar2"][-1] == (n * 10_000, 3 * n)
        outputs = running.finish()
    assert len(outputs["foo2"]) == len(outputs["bar2"]) == 6


def test_a_selection_at_the_same_time_holds_for_that_packet():
    packets = {"foo": at([1, 2, 3, 4], [1, 2, 3, 4]), "enable": at([1, 3], [True, False])}
    assert run(container("ENABLE:enable foo"), packets, "bar") == {
        "bar": at([1, 2, 3, 4], [1, 2, 9, 12])
    }


def test_without_waiting_the_selection_is_what_it_is_when_the_packet_comes():
    graph = container("ENABLE:enable foo", options="async_selection: true")
    with Run(graph, "bar", "foo enable") as running:
        running.send("foo", (10, 1))
        assert running.idle() == {"bar": [(10, 3)]}
        running.send("enable", (5, True))
        running.idle()
        running.send("foo", (20, 2))
        assert running.idle() == {"bar": [(10, 3), (20, 2)]}


@pytest.mark.parametrize(
    ("options", "side", "value"),
    [
        ("select: 0", {}, 12),
        ("select: 1", {}, 4),
        ("enable: true", {}, 4),
        ("", {}, 12),
        ("", {"ENABLE": True}, 4),
        ("", {"SELECT": 1}, 4),
        ("select: 1", {"SELECT": 0}, 12),
    ],
)
def test_options_and_side_packets_choose_for_the_whole_run(options, side, value):
    """Rule G9."""
    tags = " ".join(f"{tag}:{tag.lower()}" for tag in side)
    packets = {tag.lower(): choice for tag, choice in side.items()}
    graph = container(side=tags, options=options)
    assert run(graph, {"foo": [(1, 4)]}, "bar", packets) == {"bar": [(1, value)]}


@pytest.mark.parametrize(("enable", "value"), [(False, 12), (True, 4)])
def test_side_packets_go_through_the_chosen_node(enable, value):
    graph = container("", "", "ENABLE:enable foo", "bar")
    with Run(graph, "", "", {"enable": enable, "foo": 4}) as running:
        running.finish()
        assert running.graph.get_output_side_packet("bar").value == value


def test_it_expands_as_mediapipe_expands_it():
    """Rule G9."""
    graph = CalculatorGraph(
        graph_config='input_stream: "foo" input_stream: "enable" ' + container("ENABLE:enable foo")
    )
    assert [
        (n.name, list(n.input_stream), list(n.output_stream)) for n in graph.plan.config.node
    ] == [
        (
            "switchcontainer__PacketSequencerCalculator",
            ["INPUT:enable", "TICK:foo"],
            ["OUTPUT:switchcontainer__gate_enable_timed"],
        ),
        (
            "switchcontainer__SwitchDemuxCalculator",
            ["ENABLE:switchcontainer__gate_enable_timed", "foo"],
            ["C0__:switchcontainer__c0__foo", "C1__:switchcontainer__c1__foo"],
        ),
        (
            "switchcontainer__TripleInt",
            ["switchcontainer__c0__foo"],
            ["switchcontainer__c0__bar"],
        ),
        (
            "switchcontainer__PassThroughCalculator",
            ["switchcontainer__c1__foo"],
            ["switchcontainer__c1__bar"],
        ),
        (
            "switchcontainer__SwitchMuxCalculator",
            [
                "ENABLE:switchcontainer__gate_enable_timed",
                "C0__:switchcontainer__c0__bar",
                "C1__:switchcontainer__c1__bar",
            ],
            ["bar"],
        ),
    ]


def test_one_stream_may_come_in_under_two_tags():
    graph = node(
        "SwitchContainer",
        "A:foo B:foo",
        "A:a B:b",
        options='contained_node { calculator: "PassThroughCalculator" }',
    )
    assert run(graph, {"foo": [(1, "x")]}, "a b") == {"a": [(1, "x")], "b": [(1, "x")]}


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ({"inputs": "ENABLE:e SELECT:s foo"}, "Only one of SwitchContainer inputs"),
        ({"side": "ENABLE:e SELECT:s"}, "Only one of SwitchContainer inputs"),
        ({"options": "select: 1 enable: true"}, "Only one of SwitchContainer options"),
        (
            {"inputs": "ENABLE:e foo", "options": 'tick_input_stream: "B"'},
            "tick_input_stream 'B:0'",
        ),
    ],
)
def test_a_choice_is_made_in_one_way(ports, message):
    with pytest.raises(GraphError, match=message) as caught:
        Run(container(**ports), "", "foo e s")
    assert caught.value.code is Code.INVALID_ARGUMENT


DEMUX = node("SwitchDemuxCalculator", "SELECT:select A:in", "C0__A:c0 C1__A:c1")
MUX = node("SwitchMuxCalculator", "SELECT:select C0__A:in0 C1__A:in1", "A:out")


def test_the_demux_holds_a_packet_until_its_channel_is_known():
    with Run(DEMUX, "c0 c1", "in select") as running:
        running.send("in", (5, "x"))
        assert running.idle() == {"c0": [], "c1": []}
        running.send("select", (3, 1))
        running.idle()
        running.bound("select", 6)
        assert running.idle() == {"c0": [], "c1": [(5, "x")]}


def test_the_mux_takes_each_time_from_the_channel_that_was_on():
    with Run(MUX, "out", "in0 in1 select", bounds=False) as running:
        running.send("in0", *at([1, 2, 3, 4], ["a1", "a2", "a3", "a4"]))
        running.send("in1", *at([1, 2, 3, 4], ["b1", "b2", "b3", "b4"]))
        running.idle()
        running.send("select", (2, 1), (4, 0), (5, 0))
        assert running.idle() == {"out": [(1, "a1"), (2, "b2"), (3, "b3"), (4, "a4")]}


def test_what_the_chosen_channel_does_not_send_is_not_waited_for():
    with Run(MUX, "out", "in0 in1 select", bounds=True) as running:
        running.send("select", (1, 1))
        running.send("in0", (1, "a1"))
        running.bound("in1", 2)
        assert running.idle()["out"][-1] == (1, SETTLED)
