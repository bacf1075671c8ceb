"""Every input on its own."""

from threading import Event

import pytest
from trial import EMPTY, Trial, inputs, node

from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.timestamp import DONE, MAX, UNSTARTED

IMMEDIATE = 'input_stream_handler { input_stream_handler: "ImmediateInputStreamHandler" } '


class Calls:
    """What each call saw: its time and its three inputs."""

    def __init__(self, kind="Lambda", held=lambda: None):
        self.seen = []
        self._held = held
        self.trial = Trial(
            inputs("a", "b", "c")
            + node(
                kind,
                "a b c",
                "out",
                IMMEDIATE + 'input_side_packet: "PROCESS:p" input_side_packet: "CLOSE:c"',
            )
        ).start(p=self._note, c=self._note)

    def _note(self, cc):
        self._held()
        values = [
            (EMPTY, int(p.timestamp)) if p.is_empty() else (p.value, int(p.timestamp))
            for p in cc.inputs.values()
        ]
        self.seen.append((int(cc.timestamp), values))

    def new(self):
        self.trial.idle()
        seen, self.seen = self.seen, []
        return seen


def test_a_packet_on_any_input_is_enough():
    """Case IM1. Rule H3."""
    calls = Calls()
    calls.trial.add("b", "x", 3)
    assert [time for time, _ in calls.new()] == [3]
    calls.trial.finish()


def test_the_ends_of_inputs_are_processed_too():
    """Case IM4. Rule H3."""
    calls = Calls("BoundLambda")
    trial = calls.trial
    trial.add("b", "b1", 1)
    trial.graph.close_input_stream("b")
    seen = calls.new()
    assert seen[0] == (1, [(EMPTY, UNSTARTED), ("b1", 1), (EMPTY, UNSTARTED)])
    assert [time for time, _ in seen[1:]] == [MAX]
    trial.graph.close_input_stream("a")
    trial.graph.close_input_stream("c")
    trial.graph.wait_until_done()
    times = [time for time, _ in calls.seen]
    assert times[-1] == DONE
    assert set(times[:-1]) == {MAX}


def test_packets_leave_in_order_of_time():
    """Case IM5. Rule H3."""
    entered, release = Event(), Event()
    calls = Calls("ThreadBoundLambda", held=lambda: (entered.set(), release.wait(10)))
    trial = calls.trial
    trial.add("a", "a1", 1)
    assert entered.wait(10)
    trial.add("b", "b2", 2)
    trial.add("c", "c3", 3)
    for name in "abc":
        trial.add(name, f"{name}5", 5)
    release.set()
    seen = calls.new()
    assert seen[0] == (1, [("a1", 1), (EMPTY, UNSTARTED), (EMPTY, UNSTARTED)])
    assert [time for time, _ in seen] == [1, 2, 3, 5]
    assert seen[3][1] == [("a5", 5), ("b5", 5), ("c5", 5)]
    trial.finish()
    times = [time for time, _ in calls.seen]
    assert times[-1] == DONE
    assert set(times[:-1]) == {MAX}


MUX = (
    inputs("in0", "in1")
    + node("Lambda", "in0 in1", "out", IMMEDIATE + 'input_side_packet: "PROCESS:p"')
    + node("Pass", "out", "read")
)


def echo(cc):
    for packet in cc.inputs.values():
        if not packet.is_empty():
            cc.outputs[0].add_packet(packet)


def test_echoing_times_of_several_inputs_can_go_back_and_be_refused():
    """Case IM6. Rules H3, A9."""
    trial = Trial(MUX, "out").start(p=echo)
    trial.add("in0", 0, 0)
    trial.add("in0", 1, 1)
    trial.idle()
    assert trial.seen["out"] == [(0, 0), (1, 1)]
    trial.add("in1", 2, 0)
    with pytest.raises(StatusError) as failure:
        trial.idle()
    assert "timestamp mismatch on a calculator" in str(failure.value)
    assert "not strictly monotonically increasing" in str(failure.value)
    with pytest.raises(ValueError, match="timestamp mismatch"):
        trial.finish()


def test_an_input_that_ends_costs_a_call_without_packets():
    """Rule H3."""
    calls = Calls()
    calls.trial.add("a", "a1", 1)
    calls.new()
    calls.trial.graph.close_input_stream("a")
    ended = calls.new()
    assert len(ended) == 1
    assert all(value == EMPTY for value, _ in ended[0][1])
    calls.trial.finish()
    assert calls.seen[-1][0] == DONE
