import pytest
from core_run import BACK_EDGE, Run, at, node, run

from calcgraph.calculators.core.flow_limiter import FlowLimiterCalculator
from calcgraph.proto.core_calculators_pb2 import FlowLimiterCalculatorOptions
from calcgraph.runtime.errors import GraphError
from calcgraph.runtime.registry import register
from calcgraph.runtime.timestamp import MAX


def limiter(
    options="", inputs="in FINISHED:finished", outputs="out ALLOW:allow", side="", extra=""
):
    return node("FlowLimiterCalculator", inputs, outputs, side=side, options=options, extra=extra)


@pytest.mark.parametrize("options", ["option", "side packet"])
def test_frames_are_dropped_while_one_is_in_flight(options):
    """Case FL1, rule D11: the newest waiting frame is kept, the one before it dropped. Rules D11, O5."""
    text = "max_in_flight: 1 max_in_queue: 1"
    by_option = options == "option"
    graph = limiter(text if by_option else "", side="" if by_option else "OPTIONS:o")
    side = (
        None if by_option else {"o": FlowLimiterCalculatorOptions(max_in_flight=1, max_in_queue=1)}
    )
    with Run(graph, "out allow", "in finished", side) as running:
        running.send("in", (0, 0))
        for time in range(0, 90, 10):
            running.send("in", (time + 5, time + 5), (time + 10, time + 10))
            running.idle()
            running.send("finished", (time, None))
            assert running.idle()["out"][-1] == (time + 10, time + 10)
        outputs = running.finish()
    assert outputs["out"] == at(range(0, 100, 10))
    assert outputs["allow"] == [(t, t % 10 == 0) for t in range(0, 95, 5)]


def test_the_loop_may_be_closed_by_a_back_edge():
    graph = limiter(
        "max_in_queue: 1",
        "in FINISHED:done",
        "sampled",
        extra=BACK_EDGE.format("FINISHED"),
    ) + node("PassThroughCalculator", "sampled", "done")
    with Run(graph, "done", "in") as running:
        for time in range(5):
            running.send("in", (time, time))
            running.idle()
        assert running.finish() == {"done": at(range(5))}


def test_a_bound_finishes_a_frame_as_a_packet_does():
    """Rule D11."""
    with Run(limiter(), "out", "in finished") as running:
        running.send("in", (0, 0))
        running.idle()
        running.bound("finished", 1)
        running.idle()
        running.send("in", (5, 5))
        assert running.idle() == {"out": at([0, 5])}


@pytest.mark.parametrize(
    ("options", "side", "passed"),
    [
        ("", None, [0]),
        ("max_in_flight: 3", None, [0, 1, 2]),
        ("max_in_flight: 3", 2, [0, 1]),
        ("in_flight_timeout: 2", None, [0, 3]),
    ],
    ids=["default", "option", "side packet", "timeout"],
)
def test_how_many_are_let_in(options, side, passed):
    graph = limiter(options, side="MAX_IN_FLIGHT:max" if side else "")
    with Run(graph, "out", "in finished", {"max": side} if side else None) as running:
        running.send("in", *at(range(6)))
        assert running.idle() == {"out": at(passed)}


def test_options_may_change_while_it_runs():
    """Rule O5."""
    graph = limiter("", "in FINISHED:finished OPTIONS:options")
    with Run(graph, "out", "in finished options") as running:
        running.send("in", (0, 0), (1, 1))
        assert running.idle() == {"out": at([0])}
        running.send("options", (1, FlowLimiterCalculatorOptions(max_in_flight=2)))
        running.idle()
        running.send("in", (2, 2), (3, 3))
        assert running.idle() == {"out": at([0, 2])}


def test_the_other_inputs_follow_the_first():
    """Rule D11."""
    graph = limiter("", "in aux FINISHED:finished", "out aux_out ALLOW:allow")
    with Run(graph, "out aux_out allow", "in aux finished") as running:
        for time in (0, 1, 2, 3):
            running.send("in", (time, time))
            running.send("aux", (time, -time))
            running.idle()
            if time == 1:
                running.send("finished", (0, None))
                running.idle()
        outputs = running.idle()
    assert outputs["allow"] == [(0, True), (1, False), (2, True), (3, False)]
    assert outputs["out"] == at([0, 2])
    assert outputs["aux_out"] == [(0, 0), (2, -2)]


def test_its_outputs_end_with_its_input():
    with Run(limiter(), "out", "in finished", bounds=True) as running:
        running.send("in", (0, 0))
        running.graph.close_input_stream("in")
        running.idle()
        assert running.finish()["out"][-1][0] in (0, MAX)


@register
class WatchedFlowLimiter(FlowLimiterCalculator):
    """Lets the test look at the instance that ran last."""

    def open(self, cc):
        super().open(cc)
        WatchedFlowLimiter.latest = self


def test_decisions_of_the_past_are_forgotten():
    graph = node("WatchedFlowLimiter", "in FINISHED:finished", "out")
    with Run(graph, "out", "in finished") as running:
        for time in range(300):
            running.send("in", (time, time))
            if time % 3 == 0:
                running.send("finished", (time, None))
            running.idle()
    assert len(WatchedFlowLimiter.latest.allowed) < 10


def test_there_are_as_many_outputs_as_inputs():
    with pytest.raises(GraphError, match="as many untagged outputs as untagged inputs"):
        run(limiter("", "in in2 FINISHED:in3", "out"), {"in": [], "in2": [], "in3": []})
