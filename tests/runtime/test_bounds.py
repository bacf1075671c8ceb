"""How far a stream is settled travels through the graph, with packets and without."""

import itertools

import pytest
from trial import EMPTY, Trial, inputs, node

from calcgraph.runtime.timestamp import UNSTARTED

HANDLERS = {
    "Default": "",
    "Immediate": 'input_stream_handler { input_stream_handler: "ImmediateInputStreamHandler" }',
    "SyncSet": 'input_stream_handler { input_stream_handler: "SyncSetInputStreamHandler" }',
    "SyncSets": (
        'input_stream_handler { input_stream_handler: "SyncSetInputStreamHandler" options {'
        ' [mediapipe.SyncSetInputStreamHandlerOptions.ext] { sync_set { tag_index: ":0" } } } }'
    ),
}


def test_a_join_waits_until_the_other_input_is_settled_beyond():
    """Case DF2. Rule H1."""
    trial = Trial(
        inputs("in0", "in1") + node("EvenFilter", "in1", "even") + node("Add", "in0 even", "sum"),
        "sum",
    ).start()
    trial.add("in0", 1, 1)
    trial.add("in1", 2, 1)
    trial.idle()
    assert trial.values("sum") == [3]
    trial.add("in1", 3, 2)
    trial.add("in0", 3, 3)
    trial.idle()
    assert trial.values("sum") == [3]
    trial.add("in1", 4, 3)
    trial.idle()
    assert trial.values("sum") == [3, 7]
    trial.finish()
    assert trial.values("sum") == [3, 7]


def shifted(d):
    return (
        inputs("in", "gate")
        + node("Valve", "in GATE:gate", "valved")
        + node("Pass", "valved", "passed")
        + node("TimeShift", "passed", "shifted", 'input_side_packet: "SHIFT:d"')
        + node("Merge", "in shifted", "merged")
    )


def feed(trial, value, time, is_open):
    trial.add("gate", is_open, time)
    trial.add("in", value, time)
    trial.idle()


def test_bounds_run_through_a_node_that_drops_and_one_that_shifts():
    """Case BD1. Rules S7, S8, A15."""
    trial = Trial(shifted(0), "merged").start(d=0)
    for time, is_open in ((1, True), (2, True), (3, False), (4, False)):
        feed(trial, time, time, is_open)
    assert len(trial.seen["merged"]) == 4
    assert sorted(trial.graph.counters.values().items()) == [
        ("Pass-PassThrough", 2),
        ("Valve-block", 2),
        ("Valve-pass", 2),
    ]
    feed(trial, 5, 5, True)
    feed(trial, 6, 6, False)
    assert len(trial.seen["merged"]) == 6
    trial.finish()
    trial.clear()
    trial.start(d=-1)
    feed(trial, 7, 7, True)
    assert trial.seen["merged"] == [("6: empty 7", 6)]
    trial.finish()
    assert trial.seen["merged"] == [("6: empty 7", 6), ("7: 7 empty", 7)]


def test_an_offset_speaks_for_a_node_that_writes_nothing():
    """Case BD2."""
    trial = Trial(
        inputs("in") + node("OffsetBound", "in", "bounds") + node("Pass", "bounds in", "b out"),
        "out",
        "b",
    ).start()
    for time in range(4):
        trial.add("in", time, time)
        trial.idle()
        assert trial.values("out") == list(range(time + 1))
    trial.finish()
    assert trial.values("b") == []


BOUNDS_ONLY = (
    inputs("in") + node("Future", "in", "future") + node("OffsetBound", "future", "bounds")
)


def test_bounds_alone_do_not_call_a_node():
    """Case BD3."""
    trial = Trial(
        BOUNDS_ONLY + node("Lambda", "bounds", "out", 'input_side_packet: "PROCESS:f"'), "out"
    ).start(f=lambda cc: cc.outputs[0].add(0))
    for time in (0, 10, 20, 30):
        trial.add("in", 0, time)
        trial.idle()
    trial.finish()
    assert trial.seen["out"] == []


@pytest.mark.parametrize("handler", HANDLERS)
def test_bounds_call_a_node_that_wants_them(handler):
    """Case BD6. Rule L5."""
    text = BOUNDS_ONLY + node("BoundToPacket", "bounds", "out", HANDLERS[handler])
    trial = Trial(text, "out").start()
    for time in (0, 10, 20, 30):
        trial.add("in", 0, time)
        trial.idle()
    assert trial.seen["out"] == [(time, time) for time in (3, 13, 23, 33)]
    trial.graph.cancel()


def test_an_empty_packet_is_a_bound():
    """Case BD10. Rule S2."""
    trial = Trial(
        inputs("in") + node("EmptyOnEven", "in", "e") + node("ProcessBoundToPacket", "e", "out"),
        "out",
    ).start()
    for time in range(10, 100, 10):
        trial.add("in", 0, time)
        trial.idle()
    assert trial.times("out") == list(range(10, 100, 10))
    trial.finish()


def test_the_application_gives_bounds_too():
    """Case BD11. Rule A7."""
    trial = Trial(inputs("in") + node("ProcessBoundToPacket", "in", "out"), "out").start()
    for bound in range(11, 101, 10):
        trial.bound("in", bound)
        trial.idle()
    assert trial.times("out") == list(range(10, 100, 10))
    trial.finish()


def test_bounds_of_an_input_that_is_seldom_fed():
    """Case BD12."""
    trial = Trial(
        inputs("config", "frame") + node("Pass", "config frame", "c f"), "c", "f", bounds=True
    ).start()

    def frames(deed, *args):
        del trial.seen["f"][:]
        deed(*args)
        trial.idle()
        return trial.seen["f"]

    assert frames(trial.add, "frame", "frame_0", 0) == []
    assert frames(trial.bound, "config", 10000) == [("frame_0", 0)]
    assert frames(trial.add, "frame", "frame_1", 20000) == [(EMPTY, 9999)]
    assert frames(trial.bound, "config", 30000) == [("frame_1", 20000)]
    assert frames(trial.add, "frame", "frame_2", 40000) == [(EMPTY, 29999)]
    assert frames(trial.add, "config", "config_1", 50000) == [("frame_2", 40000)]
    assert frames(trial.add, "frame", "frame_3", 60000) == [(EMPTY, 50000)]
    assert frames(trial.bound, "config", 70000) == [("frame_3", 60000)]
    assert trial.seen["c"] == [
        (EMPTY, 0),
        (EMPTY, 9999),
        (EMPTY, 20000),
        (EMPTY, 29999),
        (EMPTY, 40000),
        ("config_1", 50000),
        (EMPTY, 60000),
    ]
    trial.finish()


def test_bounds_run_through_a_thousand_nodes_at_once():
    """Rule S8."""
    names = ["in", *(f"s{i}" for i in range(1500))]
    text = inputs("in", "other") + "".join(
        node("Pass", read, write) for read, write in itertools.pairwise(names)
    )
    trial = Trial(text + node("Merge", "other s1499", "out"), "out").start()
    trial.add("other", "x", 5)
    trial.bound("in", 6)
    trial.idle()
    assert trial.seen["out"] == [("5: x empty", 5)]
    trial.finish()


def test_the_bound_of_a_node_at_work_is_that_of_its_last_output():
    """A packet that is being processed holds back the bound, however far the input is settled."""
    seen = []
    trial = Trial(
        inputs("in") + node("Lambda", "in", "out", 'input_side_packet: "PROCESS:f"'), "out"
    )
    trial.start(f=lambda cc: seen.append(trial.graph._run.streams["out"].bound))
    trial.add("in", 0, 5)
    trial.finish()
    assert seen[0] < 5
    assert seen[0] > UNSTARTED
