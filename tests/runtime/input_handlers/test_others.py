"""Barrier, EarlyClose, FixedSize, TimestampAlign, Mux, and every handler over several runs."""

import threading

import pytest
from trial import Trial, inputs, node, options

from calcgraph.runtime.errors import StatusError


def use(name, fields=""):
    body = f"[mediapipe.{name}Options.ext] {{ {fields} }}" if fields else ""
    return f'input_stream_handler {{ input_stream_handler: "{name}" options {{ {body} }} }} '


def test_a_barrier_takes_one_packet_from_each_whatever_the_times():
    """Rule H5."""
    trial = Trial(
        inputs("a", "b") + node("Merge", "a b", "out", use("BarrierInputStreamHandler")), "out"
    ).start()
    trial.add("a", "a9", 9)
    trial.add("a", "a12", 12)
    trial.idle()
    assert trial.seen["out"] == []
    trial.add("b", "b3", 3)
    trial.add("b", "b40", 40)
    trial.add("b", "b41", 41)
    trial.finish()
    assert trial.seen["out"] == [("3: a9 b3", 3), ("12: a12 b40", 12)]


@pytest.mark.parametrize("count", [5, 12])
def test_a_cycle_ends_with_its_source(count):
    """Case EC1. Rule H6."""
    trial = Trial(
        node("Count", "", "numbers", options(count=count, start=1))
        + node(
            "EarlyAdd",
            "numbers old_sum",
            "sum",
            'input_stream_info { tag_index: ":1" back_edge: true }',
        )
        + node("UnitDelay", "sum", "old_sum"),
        "sum",
    ).start()
    trial.graph.wait_until_done()
    sums = [n * (n + 1) // 2 for n in range(1, count + 1)]
    assert trial.seen["sum"] == list(zip(sums, range(count), strict=True))


def test_a_cycle_without_early_close_ends_when_it_is_at_rest():
    """Rule D8: the run ends when nothing feeds it, though the cycle never closed."""
    closed = []

    def add_to_last(cc):
        if cc.inputs[0]:
            old = cc.inputs[1].value if cc.inputs[1] else 0
            cc.outputs[0].add(cc.inputs[0].value + old)

    trial = Trial(
        inputs("in")
        + node(
            "Lambda",
            "in old",
            "sum",
            'input_stream_info { tag_index: ":1" back_edge: true } input_side_packet: "PROCESS:p"',
        )
        + node("UnitDelay", "sum", "old")
        + node("Lambda", "sum", "x", 'input_side_packet: "CLOSE:c"'),
        "sum",
    ).start(p=add_to_last, c=lambda cc: closed.append(1))
    trial.add("in", 1, 0)
    trial.add("in", 2, 1)
    trial.finish()
    assert trial.values("sum") == [1, 3]
    assert closed == [1]


def fixed_size(fields):
    """A node that is held up at time 0 while packets 1 to 5 come."""
    entered, release = threading.Event(), threading.Event()

    def hold(cc):
        if cc.timestamp == 0:
            entered.set()
            assert release.wait(10)
        cc.outputs[0].add_packet(cc.inputs[0])

    trial = Trial(
        inputs("in")
        + node(
            "ThreadLambda",
            "in",
            "out",
            use("FixedSizeInputStreamHandler", fields) + 'input_side_packet: "PROCESS:p"',
        ),
        "out",
    ).start(p=hold)
    trial.add("in", 0, 0)
    assert entered.wait(10)
    for time in range(1, 6):
        trial.add("in", time, time)
    release.set()
    trial.finish()
    return trial.times("out")


@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ("", [0, 5]),
        ("trigger_queue_size: 3 target_queue_size: 2", [0, 4, 5]),
        ("trigger_queue_size: 9 target_queue_size: 2", [0, 1, 2, 3, 4, 5]),
        ("trigger_queue_size: 2 target_queue_size: 1 fixed_min_size: true", [0, 5]),
    ],
)
def test_only_the_newest_packets_of_a_long_queue_are_kept(fields, times):
    """Rule H7."""
    assert fixed_size(fields) == times


def test_clocks_that_differ_are_aligned_to_the_base():
    """Rule H8."""
    trial = Trial(
        inputs("base", "camera")
        + node(
            "Merge",
            "BASE:base CAMERA:camera",
            "out",
            use("TimestampAlignInputStreamHandler", 'timestamp_base_tag_index: "BASE"'),
        ),
        "out",
    ).start()
    trial.add("base", "b0", 100)
    trial.idle()
    assert trial.values("out") == ["100: b0 empty"]
    trial.add("base", "b1", 110)
    trial.idle()
    trial.add("base", "b2", 120)
    trial.add("camera", "c2", 7)
    trial.idle()
    trial.add("base", "b3", 130)
    trial.add("camera", "c3", 17)
    trial.finish()
    assert trial.values("out")[1:] == [
        "110: b1 empty",
        "120: b2 empty",
        "130: b3 c2",
        "140: empty c3",
    ]


MUX = inputs("a", "b", "select") + node("Merge", "a b select", "out", use("MuxInputStreamHandler"))


def test_the_control_input_says_which_input_to_wait_for():
    """Rule H9."""
    trial = Trial(MUX, "out").start()
    trial.add("select", 1, 1)
    trial.add("a", "a1", 1)
    trial.idle()
    assert trial.seen["out"] == []
    trial.add("b", "b1", 1)
    trial.idle()
    assert trial.values("out") == ["1: empty b1 1"]
    trial.add("select", 0, 2)
    trial.bound("a", 3)
    trial.idle()
    assert trial.values("out")[1:] == ["2: empty empty 0"]
    trial.finish()


def test_a_control_value_that_names_no_input_fails_the_node():
    trial = Trial(MUX, "out").start()
    trial.add("select", 2, 1)
    with pytest.raises(ValueError, match=r'node "Merge" failed: .*selects input 2'):
        trial.idle()
    trial.graph.cancel()


HANDLERS = [
    "Default",
    "Immediate",
    "SyncSet",
    "Barrier",
    "EarlyClose",
    "FixedSize",
    "TimestampAlign",
]


@pytest.mark.parametrize("name", HANDLERS)
def test_every_run_starts_anew(name):
    """Case MR1. Rule H10."""
    fields = 'timestamp_base_tag_index: ":0"' if name == "TimestampAlign" else ""
    trial = Trial(
        inputs("in") + node("Pass", "in", "out", use(f"{name}InputStreamHandler", fields)), "out"
    )
    for time in (2000, 1000):
        trial.clear()
        trial.start()
        trial.add("in", "x", time)
        trial.finish()
        assert trial.seen["out"] == [("x", time)]


def test_a_muxed_graph_runs_anew_too():
    """Case MR1. Rule H10."""
    trial = Trial(MUX, "out")
    for time in (2000, 1000):
        trial.clear()
        trial.start()
        for name, value in (("a", "a"), ("b", "b"), ("select", 0)):
            trial.add(name, value, time)
        trial.finish()
        assert trial.times("out") == [time]


@pytest.mark.parametrize("name", ["Sync", "DefaultInputStreamHandlerr"])
def test_an_unknown_handler_is_refused(name):
    with pytest.raises(StatusError, match="Unable to find InputStreamHandler"):
        Trial(inputs("in") + node("Pass", "in", "out", use(name)))
