import numpy as np
import pytest
from core_run import Run, at, node, run, seen

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.contract import optional
from calcgraph.runtime.errors import GraphError, RunError
from calcgraph.runtime.registry import register


@register
class Times(Calculator):
    """A number times another, or plus one."""

    inputs = {"": int, "BY": optional(int)}
    outputs = {"": int}
    light = True

    def process(self, cc):
        number = cc.inputs[0].value
        cc.outputs[0].add(int(number * cc.inputs["BY"].value if "BY" in cc.inputs else number + 1))


PLUS_ONE = (
    node("BeginLoopIntCalculator", "ITERABLE:in", "ITEM:item BATCH_END:end")
    + node("Times", "item", "next")
    + node("EndLoopFloatCalculator", "ITEM:next BATCH_END:end", "ITERABLE:out")
)


def test_the_loop_body_runs_for_each_item():
    assert seen(PLUS_ONE, {"in": [(0, [0, 1, 2]), (7, (5,))]}) == [(0, [1, 2, 3]), (7, [6])]


def test_an_array_is_iterable_too():
    assert seen(PLUS_ONE, {"in": [(0, np.array([0, 1]).astype(object))]}) == [(0, [1, 2])]


def test_an_empty_collection_makes_no_packet_but_is_not_waited_for():
    graph = PLUS_ONE + node("PassThroughCalculator", "in out", "in2 out2")
    with Run(graph, "in2 out2", "in") as running:
        running.send("in", (0, []))
        assert running.idle() == {"in2": [(0, [])], "out2": []}
        running.send("in", (1, [1]), (2, []), (3, [3]))
        assert running.idle()["out2"] == [(1, [2]), (3, [4])]


def test_a_collection_that_never_comes_is_not_waited_for():
    """A bound goes through the whole loop."""
    graph = (
        node("GateCalculator", "lists ALLOW:allow", "in")
        + PLUS_ONE
        + node("PassThroughCalculator", "out allow", "out2 allow2")
    )
    with Run(graph, "out2 allow2", "lists allow") as running:
        for time, allow in [(0, False), (1, True), (2, False)]:
            running.send("lists", (time, [time]))
            running.send("allow", (time, allow))
            assert running.idle()["allow2"][-1] == (time, allow)
        assert running.finish()["out2"] == [(1, [2])]


def test_clones_are_the_same_for_each_item():
    graph = (
        node(
            "BeginLoopIntCalculator",
            "ITERABLE:in CLONE:by",
            "ITEM:item CLONE:by_item BATCH_END:end",
        )
        + node("Times", "item BY:by_item", "product")
        + node("EndLoopCalculator", "ITEM:product BATCH_END:end", "ITERABLE:out")
    )
    packets = {"in": [(42, [0, 1]), (43, []), (44, [2, 3])], "by": at([42, 43, 44], [2, 2, 3])}
    assert seen(graph, packets) == [(42, [0, 2]), (44, [6, 9])]


def test_as_many_clones_go_out_as_come_in():
    with pytest.raises(GraphError, match="Number of CLONE inputs and outputs must match"):
        Run(
            node("BeginLoopIntCalculator", "ITERABLE:in CLONE:c", "ITEM:i BATCH_END:end"),
            "",
            "in c",
        )


ITEM_LOOP = (
    node("BeginItemLoopCalculator", "ITEM:0:a ITEM:1:b", "ITEM:item BATCH_END:end")
    + node("Times", "item", "next")
    + node("EndItemLoopCalculator", "ITEM:next BATCH_END:end", "ITEM:0:a2 ITEM:1:b2")
)


def test_a_loop_over_loose_items():
    packets = {"a": at([10, 20]), "b": at([10, 20], [1, 2])}
    assert run(ITEM_LOOP, packets, "a2 b2") == {
        "a2": at([10, 20], [11, 21]),
        "b2": at([10, 20], [2, 3]),
    }


def test_loose_items_come_together():
    with pytest.raises(RunError, match="Cannot mix non-empty input ITEMs with empty input ITEMs"):
        run(ITEM_LOOP, {"a": at([1]), "b": at([2])}, "a2 b2")


def test_there_are_as_many_outputs_as_items():
    graph = node("BeginItemLoopCalculator", "ITEM:0:a ITEM:1:b", "ITEM:item BATCH_END:end") + node(
        "EndItemLoopCalculator", "ITEM:item BATCH_END:end", "ITEM:out"
    )
    with pytest.raises(RunError, match="found 2 items, expected 1"):
        run(graph, {"a": at([1]), "b": at([1])})
