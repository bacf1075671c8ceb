"""A node's life: opened, called for each input set, closed."""

import os
import random
import threading

import pytest
from trial import EMPTY, Trial, inputs, node, options

from calcgraph.runtime.calculator import STOP
from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import DONE, UNSTARTED, Timestamp

ALL = 'input_side_packet: "OPEN:o" input_side_packet: "PROCESS:p" input_side_packet: "CLOSE:c"'
OPEN = 'input_side_packet: "OPEN:o"'
PROCESS = 'input_side_packet: "PROCESS:p"'
CLOSE = 'input_side_packet: "CLOSE:c"'


def nothing(cc):
    pass


@pytest.mark.parametrize("kind", ["Lambda", "ThreadLambda"])
def test_what_time_it_is_in_each_method(kind):
    """Case LC1. Rules L3, L5, L6."""
    source, sink = [], []

    def produce(cc):
        source.append(int(cc.timestamp))
        cc.outputs[0].add(len(source), len(source))
        return STOP if len(source) == 7 else None

    trial = Trial(
        node(
            kind,
            "",
            "numbers",
            'input_side_packet: "OPEN:so" input_side_packet: "PROCESS:sp" input_side_packet: "CLOSE:sc"',
        )
        + node(kind, "numbers", "", ALL)
    )
    trial.start(
        so=lambda cc: source.append(int(cc.timestamp)),
        sp=produce,
        sc=lambda cc: source.append(int(cc.timestamp)),
        **dict.fromkeys("opc", lambda cc: sink.append(int(cc.timestamp))),
    )
    trial.graph.wait_until_done()
    assert source == [UNSTARTED, 0, 0, 0, 0, 0, 0, DONE]
    assert sink == [UNSTARTED, 2, 3, 4, 5, 6, 7, DONE]


def test_a_packet_written_in_open_comes_first():
    """Case LC3. Rule L3."""
    trial = Trial(
        "max_queue_size: 1\n"
        + node("Count", "", "numbers", options(count=5))
        + node("UnitDelay", "numbers", "delayed"),
        "delayed",
    ).start()
    trial.graph.wait_until_done()
    assert trial.seen["delayed"] == [(0, 0), (0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]


def test_a_delayed_stream_beside_itself():
    """Case LC3."""
    trial = Trial(
        "max_queue_size: 1\n"
        + node("Count", "", "numbers", options(count=5, start=1))
        + node("UnitDelay", "numbers", "delayed")
        + node("Merge", "delayed numbers", "merged"),
        "merged",
    ).start()
    trial.graph.wait_until_done()
    assert trial.values("merged") == [
        "0: 0 1",
        "1: 1 2",
        "2: 2 3",
        "3: 3 4",
        "4: 4 5",
        "5: 5 empty",
    ]


def test_inputs_look_empty_in_open():
    """Case LC4. Rule L3."""
    seen = []
    trial = Trial(
        inputs("in") + node("UnitDelay", "in", "delayed") + node("Lambda", "delayed", "", OPEN)
    ).start(o=lambda cc: seen.append(cc.inputs[0].is_empty()))
    trial.idle()
    assert seen == [True]
    trial.finish()


@pytest.mark.parametrize(
    "deed",
    [lambda cc: cc.set_offset(0), lambda cc: cc.outputs[0].set_offset(0)],
    ids=["of all outputs", "of one output"],
)
def test_an_offset_is_set_in_open_only(deed):
    """Case LC5. Rule S7."""
    trial = Trial(inputs("in") + node("Lambda", "in", "out", PROCESS)).start(p=deed)
    trial.add("in", 0, 0)
    with pytest.raises(StatusError) as failure:
        trial.idle()
    assert failure.value.code == Code.FAILED_PRECONDITION
    trial.graph.cancel()


def test_a_header_is_set_in_open_and_read_by_the_next():
    """Rule S9."""
    trial = Trial(
        inputs("in")
        + node("Lambda", "in", "a", OPEN)
        + node("Pass", "a", "b")
        + node("Lambda", "b", "", 'input_side_packet: "OPEN:read"')
    )
    seen = []
    trial.start(
        o=lambda cc: cc.outputs[0].set_header(Packet("header")),
        read=lambda cc: seen.append(cc.inputs.header(0).value),
    )
    assert seen == ["header"]
    trial.finish()


def test_a_node_without_streams_opens_and_closes():
    calls = []
    trial = Trial(node("Lambda", "", "", ALL)).start(
        o=lambda cc: calls.append("open"),
        p=lambda cc: calls.append("process"),
        c=lambda cc: calls.append("close"),
    )
    trial.graph.wait_until_done()
    assert calls == ["open", "close"]


def test_nodes_open_in_the_order_of_the_streams_and_side_packets():
    """Rule L2."""
    order = []
    trial = Trial(
        inputs("in")
        + node("Lambda", "b", "c", 'input_side_packet: "OPEN:third"')
        + node("Lambda", "in", "a", 'input_side_packet: "OPEN:first"')
        + node("Lambda", "a", "b", 'input_side_packet: "OPEN:second"')
    )
    names = ("first", "second", "third")
    trial.start(**{name: lambda cc, name=name: order.append(name) for name in names})
    trial.idle()
    assert order == list(names)
    trial.finish()


class TestEnding:
    def test_a_node_whose_open_failed_is_not_closed_and_nobody_after_it_opens(self):
        """Rule L4."""
        calls = []
        trial = Trial(
            inputs("in")
            + node("Pass", "in", "a")
            + node("Lambda", "a", "b", OPEN + CLOSE)
            + node("Lambda", "b", "c", 'input_side_packet: "OPEN:after"')
            + node("Lambda", "in", "d", 'input_side_packet: "CLOSE:aside"')
        )

        def refuse(cc):
            raise OSError("no such file")

        trial.start(
            o=refuse,
            c=lambda cc: calls.append("closed"),
            after=lambda cc: calls.append("opened after"),
            aside=lambda cc: calls.append("aside closed"),
        )
        with pytest.raises(RuntimeError) as failure:
            trial.graph.wait_until_done()
        assert 'Calculator::Open() for node "Lambda_1" failed: OSError: no such file' in str(
            failure.value
        )
        assert calls in ([], ["aside closed"])

    @pytest.mark.parametrize("kind", ["Fail", "ThreadFail", "AsyncFail"])
    @pytest.mark.parametrize("method", ["open", "process", "close"])
    def test_an_exception_names_node_method_and_cause(self, kind, method):
        """Rules E2, E5."""
        extra = f'name: "the_node" {options(method=method)}'
        trial = Trial(inputs("in") + node(kind, "in", "out", extra)).start()
        with pytest.raises(StatusError) as failure:
            trial.add("in", 1, 1)
            trial.finish()
            trial.graph.wait_until_done()
        expected = (
            f'Calculator::{method.title()}() for node "the_node" failed: ValueError: told to fail'
        )
        assert expected in str(failure.value)
        trial.graph.cancel()

    def test_close_after_an_error_is_called_and_its_output_dropped(self):
        """Rules L9, L10. Rule S1."""
        calls = []

        def fail(cc):
            cc.outputs[0].add("lost")
            raise ValueError("told to fail")

        def close(cc):
            calls.append(int(cc.timestamp))
            cc.outputs[0].add("too late", 9)
            raise ValueError("nobody hears this")

        trial = Trial(inputs("in") + node("Lambda", "in", "out", PROCESS + CLOSE), "out").start(
            p=fail, c=close
        )
        trial.add("in", 0, 0)
        with pytest.raises(RuntimeError) as failure:
            trial.graph.wait_until_done()
        assert calls == [DONE]
        assert trial.seen["out"] == []
        assert "nobody hears" not in str(failure.value)

    def test_output_of_a_normal_close_is_delivered(self):
        """Rule L9."""
        trial = Trial(inputs("in") + node("Lambda", "in", "out", CLOSE), "out").start(
            c=lambda cc: cc.outputs[0].add("last words", 99)
        )
        trial.add("in", 0, 0)
        trial.finish()
        assert trial.seen["out"] == [("last words", 99)]

    @pytest.mark.parametrize("method", ["o", "c"])
    def test_only_process_may_return_stop(self, method):
        """Rule L4."""
        extra = {"o": OPEN, "c": CLOSE}[method]
        trial = Trial(inputs("in") + node("Lambda", "in", "out", extra)).start(
            **{method: lambda cc: STOP}
        )
        with pytest.raises(RuntimeError, match="returned STOP"):
            trial.finish()
            trial.graph.wait_until_done()

    def test_a_stop_of_a_node_with_inputs_closes_the_sources(self):
        """Rule L8."""
        seen = []

        def enough(cc):
            seen.append(cc.inputs[0].value)
            return STOP if len(seen) == 3 else None

        trial = Trial(node("Endless", "", "numbers") + node("Lambda", "numbers", "", PROCESS))
        trial.start(p=enough)
        trial.graph.wait_until_done()
        assert seen[:3] == [0, 1, 2]


class TestWriting:
    def run(self, deed, *streams):
        trial = Trial(inputs("in") + node("Lambda", "in", "out other", PROCESS), *streams)
        trial.start(p=deed)
        trial.add("in", 7, 7)
        return trial

    @pytest.mark.parametrize(
        ("deed", "message"),
        [
            (lambda cc: cc.outputs["NOPE"], "no output 'NOPE'; it has 0, 1"),
            (lambda cc: cc.inputs[5], "no input 5; it has 0"),
            (lambda cc: cc.outputs[0].add(1, Timestamp.DONE), "illegal value: Timestamp::Done"),
            (lambda cc: cc.outputs[0].add_packet(Packet(1)), "illegal value: Timestamp::Unset"),
            (
                lambda cc: cc.outputs[0].set_next_timestamp_bound(Timestamp.DONE),
                "cannot be a timestamp bound",
            ),
            (
                lambda cc: (cc.outputs[0].close(), cc.outputs[0].add(1)),
                'Packet sent to closed stream "out"',
            ),
            (lambda cc: cc.outputs[0].set_header(Packet(1)), "works in open"),
        ],
        ids=["output", "input", "time", "no time", "bound", "closed", "header"],
    )
    def test_misuse_is_an_error_of_the_node(self, deed, message):
        """Rules S2, S4, S7, S9, N6."""
        trial = self.run(deed)
        with pytest.raises(StatusError) as failure:
            trial.idle()
        assert message in str(failure.value)
        assert 'node "Lambda" failed' in str(failure.value)
        trial.graph.cancel()

    def test_a_closed_output_ends_its_stream_and_no_other(self):
        """Rule S5."""

        def deed(cc):
            cc.outputs[0].add("last")
            cc.outputs[0].close()
            assert cc.outputs[0].is_closed()
            cc.outputs[1].add("more")

        trial = self.run(deed, "out", "other")
        trial.idle()
        assert trial.seen == {"out": [("last", 7)], "other": [("more", 7)]}
        assert trial.graph._run.streams["out"].closed
        trial.finish()

    def test_several_packets_and_a_bound_in_one_call(self):
        """Rule S6."""

        def deed(cc):
            cc.outputs[0].add("a", 1)
            cc.outputs[0].add("b", 2)
            cc.outputs[0].set_next_timestamp_bound(50)

        trial = self.run(deed, "out")
        trial.idle()
        assert trial.seen["out"] == [("a", 1), ("b", 2)]
        assert trial.graph._run.streams["out"].bound == 50
        trial.finish()

    def test_the_wrong_type_is_refused(self):
        """Rule S2."""
        trial = Trial(
            node("Lambda", "", "numbers", PROCESS) + node("Valve", "numbers GATE:numbers", "out")
        )
        trial.start(p=lambda cc: cc.outputs[0].add("not a bool", 1))
        with pytest.raises(ValueError, match="expected bool, found str"):
            trial.graph.wait_until_done()


@pytest.mark.parametrize("kind", ["ThreadLambda", "AsyncPass"])
def test_calls_that_overlap_are_released_in_order(kind):
    """Case SC6, rule H11: every fourth packet is dropped, the rest leave in time order, twice."""
    chance = random.Random(1)
    running, most = [], []

    def work(cc):
        running.append(1)
        most.append(len(running))
        for _ in range(chance.randrange(100)):
            os.sched_yield()
        value = cc.inputs[0].value
        if value % 4:
            cc.outputs[0].add(value)
        running.pop()

    extra = "max_in_flight: 5 " + (PROCESS if kind == "ThreadLambda" else "")
    trial = Trial(
        "num_threads: 5\n"
        + inputs("in")
        + node(kind, "in", "a", extra)
        + node(kind, "a", "out", extra),
        "out",
    )
    for _ in range(2):
        trial.clear()
        trial.start(**({"p": work} if kind == "ThreadLambda" else {}))
        for time in range(1, 101):
            trial.add("in", time, time)
        trial.finish()
        expected = [(t, t) for t in range(1, 101) if t % 4 or kind == "AsyncPass"]
        assert trial.seen["out"] == expected
    if kind == "ThreadLambda":
        assert max(most) > 1


def test_bounds_wait_for_calls_that_overlap():
    """Nothing is promised beyond a call that is still at work. Rule H11."""
    release = threading.Event()

    def work(cc):
        if cc.timestamp == 1:
            assert release.wait(10)

    trial = Trial(
        "num_threads: 3\n"
        + inputs("in", "other")
        + node("ThreadLambda", "in", "a", "max_in_flight: 3 " + OPEN + PROCESS)
        + node("Pass", "a other", "b out"),
        "out",
    )
    trial.start(o=lambda cc: cc.set_offset(0), p=work)
    for time in (1, 2, 3):
        trial.add("in", time, time)
        trial.add("other", time, time)
    assert trial.seen["out"] == []
    release.set()
    trial.finish()
    assert trial.times("out") == [1, 2, 3]


def test_every_run_has_new_calculators():
    """Rules L1, A14."""
    trial = Trial(node("Count", "", "out", options(count=2)), "out")
    for _ in range(3):
        trial.clear()
        trial.start()
        trial.graph.wait_until_done()
        assert trial.values("out") == [0, 1]
    assert EMPTY not in trial.values("out")


def test_closing_all_outputs_does_not_close_a_node():
    """Rule L12."""
    seen = []

    def process(cc):
        seen.append(int(cc.timestamp))
        cc.outputs[0].close()

    trial = Trial(inputs("in") + node("Lambda", "in", "out", PROCESS + CLOSE)).start(
        p=process, c=lambda cc: seen.append("closed")
    )
    for time in range(3):
        trial.add("in", time, time)
    trial.idle()
    assert seen == [0, 1, 2]
    trial.finish()
    assert seen == [0, 1, 2, "closed"]


@pytest.mark.parametrize("kind", ["Pass", "ThreadPass"])
def test_each_reader_of_a_stream_has_a_queue_of_its_own(kind):
    """Rule S11: also one node that reads a stream twice."""
    trial = Trial(
        inputs("in", "late") + node("Merge", "in in late", "merged") + node(kind, "in", "passed"),
        "merged",
        "passed",
    ).start()
    for time in range(3):
        trial.add("in", time, time)
    trial.idle()
    assert trial.values("passed") == [0, 1, 2]
    assert trial.seen["merged"] == []
    trial.add("late", "x", 2)
    trial.finish()
    assert trial.values("merged") == ["0: 0 0 empty", "1: 1 1 empty", "2: 2 2 x"]


def test_an_error_out_of_range_is_no_stop():
    """Rule L7."""

    def process(cc):
        raise status_error(Code.OUT_OF_RANGE, "past the end")

    trial = Trial(node("Lambda", "", "numbers", PROCESS)).start(p=process)
    with pytest.raises(StatusError, match="past the end") as failure:
        trial.graph.wait_until_done()
    assert failure.value.code == Code.OUT_OF_RANGE


@pytest.mark.parametrize("kind", ["ThreadLambda", "AwaitingLambda"])
def test_calls_of_a_node_do_not_overlap_unless_it_says_so(kind):
    """Rule D1."""
    running, most = [], []

    def process(cc):
        running.append(1)
        most.append(len(running))
        os.sched_yield()
        running.pop()

    trial = Trial("num_threads: 4\n" + inputs("in") + node(kind, "in", "", PROCESS)).start(
        p=process
    )
    for time in range(100):
        trial.add("in", time, time)
    trial.finish()
    assert len(most) == 100
    assert max(most) == 1
