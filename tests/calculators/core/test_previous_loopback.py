import pytest
from core_run import BACK_EDGE, SETTLED, Run, at, node

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.registry import register
from calcgraph.runtime.timestamp import MAX

LOOPBACK = node(
    "PreviousLoopbackCalculator",
    "MAIN:in LOOP:out",
    "PREV_LOOP:previous",
    extra=BACK_EDGE.format("LOOP"),
)
BOTH = node("PassThroughCalculator", "in previous", "out previous2")


def test_each_packet_meets_what_the_loop_made_of_the_one_before():
    graph = LOOPBACK + BOTH + node("MakePairCalculator", "out previous2", "pair")
    with Run(graph, "pair", "in") as running:
        for time, before in [(1, None), (2, 1), (5, 2), (15, 5)]:
            running.send("in", (time, time))
            now, (main, previous) = running.idle()["pair"][-1]
            assert (now, main.value) == (time, time)
            assert (None if previous.is_empty() else previous.value) == before


@register
class SumOnClose(Calculator):
    """Passes numbers on, and their sum at the very end."""

    inputs = {"": int}
    outputs = {"": int}
    light = True

    def open(self, cc):
        self.sum = 0

    def process(self, cc):
        self.sum += cc.inputs[0].value
        cc.outputs[0].add_packet(cc.inputs[0])

    def close(self, cc):
        cc.outputs[0].add(self.sum, MAX)


def test_the_cycle_ends_when_its_input_ends():
    graph = LOOPBACK + BOTH + node("SumOnClose", "out", "sums")
    with Run(graph, "sums", "in") as running:
        running.send("in", (1, 1), (2, 2), (5, 5), (15, 15))
        running.graph.close_all_input_streams()
        assert running.idle() == {"sums": [*at([1, 2, 5, 15]), (MAX, 23)]}


def test_a_bound_of_the_main_input_becomes_a_bound():
    graph = LOOPBACK + BOTH
    with Run(graph, "previous", "in", bounds=True) as running:
        running.send("in", (1, 1))
        running.idle()
        running.bound("in", 5)
        running.idle()
        running.send("in", (7, 7))
        assert running.idle() == {"previous": [(1, SETTLED), (4, SETTLED), (7, 1)]}


@pytest.mark.parametrize("dropped", [2, 3])
def test_where_the_loop_dropped_a_packet_nothing_comes(dropped):
    graph = (
        LOOPBACK
        + node("PassThroughCalculator", "in previous", "main previous2")
        + node("GateCalculator", "main ALLOW:allow", "out")
    )
    with Run(graph, "previous2 out", "in allow") as running:
        for time in (1, 2, 3, 4):
            running.send("in", (time, time))
            running.send("allow", (time, time != dropped))
            running.idle()
        previous = running.finish()["previous2"]
    assert previous == [(time + 1, time) for time in (1, 2, 3) if time != dropped]
