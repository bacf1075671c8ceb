import pytest
from core_run import Run, at, node, run, seen

from calcgraph.runtime.errors import GraphError
from calcgraph.runtime.timestamp import PRE_STREAM


def test_an_inner_join_passes_the_times_that_all_inputs_have():
    packets = {"a": at([1, 2, 4]), "b": at([2, 3, 4])}
    graph = node("PacketInnerJoinCalculator", "a b", "a2 b2")
    assert run(graph, packets, "a2 b2") == {"a2": at([2, 4]), "b2": at([2, 4])}


def test_an_inner_join_has_as_many_outputs_as_inputs():
    with pytest.raises(GraphError, match="The number of input and output streams must match"):
        Run(node("PacketInnerJoinCalculator", "a b", "out"), "", "a b")


def test_a_pair_holds_both_packets_and_shows_which_is_missing():
    [(_, both), (_, second)] = seen(
        node("MakePairCalculator", "a b", "out"), {"a": [(1, "a")], "b": [(1, "b"), (2, "c")]}
    )
    assert (both[0].value, both[1].value) == ("a", "b")
    assert second[0].is_empty()
    assert second[1].value == "c"


def test_presence_tells_packets_from_bounds():
    graph = node("PacketPresenceCalculator", "PACKET:in", "PRESENCE:out")
    with Run(graph, inputs="in") as running:
        running.send("in", (10, "x"))
        running.idle()
        running.bound("in", 12)
        running.idle()
        running.send("in", (12, "y"), (15, "z"))
        assert running.idle() == {"out": [(10, True), (11, False), (12, True), (15, True)]}


def test_presence_knows_prestream():
    graph = node("PacketPresenceCalculator", "PACKET:in", "PRESENCE:out")
    assert seen(graph, {"in": [(PRE_STREAM, "x")]}) == [(PRE_STREAM, True)]


def test_a_value_or_else_the_default_at_every_tick():
    graph = node("ValueOrDefaultCalculator", "IN:in TICK:tick", "OUT:out FLAG:flag", side="default")
    packets = {"in": at([1, 3, 4]), "tick": at([1, 2, 3, 5])}
    assert run(graph, packets, "out flag", {"default": 0}) == {
        "out": [(1, 1), (2, 0), (3, 3), (5, 0)],
        "flag": [(2, True), (5, True)],
    }
