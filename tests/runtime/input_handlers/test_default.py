"""All inputs belong together."""

from random import Random

import pytest
from trial import Trial, inputs, node, options

from calcgraph.runtime.timestamp import DONE, MAX, POST_STREAM, PRE_STREAM, UNSTARTED, Timestamp


def batches(size):
    return (
        'input_stream_handler { input_stream_handler: "DefaultInputStreamHandler" options {'
        f" [mediapipe.DefaultInputStreamHandlerOptions.ext] {{ batch_size: {size} }} }} }}"
    )


def two_passed():
    return Trial(
        inputs("in0", "in1") + node("Pass", "in0 in1", "out0 out1"), "out0", "out1"
    ).start()


def test_a_time_is_processed_when_every_input_is_settled_beyond():
    """Case DF1. Rules H1, L5."""
    trial = two_passed()
    trial.add("in0", 1, 1)
    trial.idle()
    assert trial.seen == {"out0": [], "out1": []}
    trial.add("in1", 2, 2)
    trial.idle()
    assert trial.seen == {"out0": [(1, 1)], "out1": []}
    trial.add("in0", 2, 2)
    trial.idle()
    assert trial.seen == {"out0": [(1, 1), (2, 2)], "out1": [(2, 2)]}
    trial.finish()


def test_a_bound_at_the_time_itself_is_not_enough():
    """Rule H1."""
    trial = two_passed()
    trial.add("in0", 1, 5)
    trial.bound("in1", 5)
    trial.idle()
    assert trial.seen["out0"] == []
    trial.bound("in1", 6)
    trial.idle()
    assert trial.seen["out0"] == [(1, 5)]
    trial.finish()


def test_a_closed_input_holds_nobody_up():
    trial = two_passed()
    trial.graph.close_input_stream("in1")
    trial.add("in0", 1, 1)
    trial.idle()
    assert trial.seen["out0"] == [(1, 1)]
    trial.finish()


def test_many_inputs_in_any_order_of_arrival():
    names = [f"i{n}" for n in range(20)]
    trial = Trial(inputs(*names) + node("Add", " ".join(names), "out"), "out").start()
    for time in range(3):
        for n, name in enumerate(names[time:] + names[:time]):
            trial.add(name, n, time)
    trial.finish()
    assert trial.seen["out"] == [(190, time) for time in range(3)]


@pytest.mark.parametrize("seed", range(10))
def test_a_join_of_many_inputs_whatever_comes_first(seed):
    """Packets, bounds and ends in any order, against a calculation that knows all of them."""
    chance = Random(seed)
    names = [f"i{n}" for n in range(chance.choice([2, 3, 12]))]
    times = {name: sorted(chance.sample(range(40), chance.randrange(15))) for name in names}
    trial = Trial(inputs(*names) + node("Merge", " ".join(names), "out"), "out").start()
    scripts = {name: list(times[name]) for name in names}
    while scripts:
        name = chance.choice(list(scripts))
        if not scripts[name]:
            del scripts[name]
            trial.graph.close_input_stream(name)
        else:
            time = scripts[name].pop(0)
            if chance.random() < 0.3:
                trial.bound(name, time)
            trial.add(name, f"{name}@{time}", time)
            settled = min(scripts[n][0] if scripts.get(n) else 40 for n in names if n in scripts)
            assert all(t < settled for t in trial.times("out"))
    trial.graph.wait_until_done()
    expected = []
    for time in sorted({time for each in times.values() for time in each}):
        values = [f"{n}@{time}" if time in times[n] else "empty" for n in names]
        expected.append((f"{time}: {' '.join(values)}", time))
    assert trial.seen["out"] == expected


@pytest.mark.parametrize("time", [PRE_STREAM, POST_STREAM])
def test_the_only_packet_of_a_stream_ends_it(time):
    """Rule H1."""
    seen = []
    trial = Trial(
        inputs("in")
        + node("Lambda", "in", "out", 'input_side_packet: "PROCESS:p" input_side_packet: "CLOSE:c"')
    )
    trial.start(
        p=lambda cc: seen.append(("process", int(cc.timestamp))),
        c=lambda cc: seen.append(("close", int(cc.timestamp))),
    )
    trial.add("in", 0, time)
    trial.idle()
    assert seen == [("process", time), ("close", DONE)]
    trial.finish()


def test_what_an_input_without_a_packet_shows():
    """Rule S15."""
    seen = []
    trial = Trial(inputs("a", "b") + node("Lambda", "a b", "out", 'input_side_packet: "PROCESS:p"'))
    trial.start(p=lambda cc: seen.append((cc.inputs[1].is_empty(), int(cc.inputs[1].timestamp))))
    trial.add("b", "b7", 7)
    trial.add("a", "a5", 5)
    trial.bound("a", 8)
    trial.idle()
    assert seen == [(True, 6), (False, 7)]
    trial.finish()


@pytest.mark.parametrize(("size", "calls"), [(1, [1, 2, 3, 4]), (3, [3, 3, 3, 4])])
def test_a_batch_is_processed_in_a_row_when_it_is_full(size, calls):
    """Rule H2: nothing until `size` input sets are there, the rest when the inputs end."""
    trial = Trial(inputs("in") + node("Pass", "in", "out", batches(size)), "out").start()
    grown = []
    for time in range(4):
        trial.add("in", time, time)
        trial.idle()
        grown.append(len(trial.seen["out"]))
    assert grown == ([1, 2, 3, 4] if size == 1 else [0, 0, 3, 3])
    trial.finish()
    assert trial.seen["out"] == [(time, time) for time in range(4)]
    assert calls


@pytest.mark.parametrize("kind", ["Pass", "ThreadPass", "AsyncPass"])
def test_batches_on_every_kind_of_node(kind):
    trial = Trial(inputs("in") + node(kind, "in", "out", batches(4)), "out").start()
    for time in range(10):
        trial.add("in", time, time)
    trial.finish()
    assert trial.seen["out"] == [(time, time) for time in range(10)]


def test_a_reader_of_a_batching_node_sees_the_first_time_of_the_batch():
    text = (
        inputs("in", "other") + node("Pass", "in", "a", batches(3)) + node("Pass", "a other", "b c")
    )
    trial = Trial(text, "b", "c").start()
    for time in (10, 20):
        trial.add("in", time, time)
        trial.add("other", time, time)
    trial.idle()
    assert trial.seen["c"] == []
    trial.add("in", 30, 30)
    trial.idle()
    assert trial.times("c") == [10, 20]
    trial.finish()


def test_bounds_are_processed_once_at_the_newest_time():
    """Rule H1."""
    seen = []
    trial = Trial(inputs("in") + node("BoundLambda", "in", "out", 'input_side_packet: "PROCESS:p"'))
    trial.start(p=lambda cc: seen.append(int(cc.timestamp)))
    trial.bound("in", 10)
    trial.idle()
    trial.bound("in", 20)
    trial.idle()
    trial.add("in", 0, 25)
    trial.idle()
    assert seen == [9, 19, 25]
    trial.finish()
    assert seen == [9, 19, 25]


def test_processing_bounds_before_the_first_packet():
    seen = []
    trial = Trial(inputs("in") + node("BoundLambda", "in", "out", 'input_side_packet: "PROCESS:p"'))
    trial.start(p=lambda cc: seen.append((int(cc.timestamp), cc.inputs[0].is_empty())))
    trial.idle()
    assert seen == []
    trial.bound("in", MAX)
    trial.idle()
    assert seen == [(MAX - 1, True)]
    assert Timestamp.of(UNSTARTED) == Timestamp.UNSTARTED
    trial.finish()


FAST = ["Pass", "PlusOne", "EvenFilter", "Future", "OffsetBound", "EmptyOnEven", "UnitDelay"]


@pytest.mark.parametrize("kind", FAST)
def test_the_fast_path_of_one_input_gives_the_same_answer(kind):
    """A batch of 1 spelled out, and a second input that is closed, take the general path."""

    def run(text):
        trial = Trial(text, "out", bounds=True).start()
        for name in ("never",):
            if name in trial.graph._run.inputs:
                trial.graph.close_input_stream(name)
        for time in (3, 4, 8, 20):
            trial.add("in", time, time)
            if time == 4:
                trial.bound("in", 7)
            trial.idle()
        trial.finish()
        return trial.seen["out"]

    fast = run(inputs("in") + node(kind, "in", "out"))
    general = run(inputs("in") + node(kind, "in", "out", 'max_in_flight: 2 executor: ""'))
    assert fast == general
    assert fast


def test_options_reach_the_calculator():
    trial = Trial(node("Count", "", "out", options(count=3, start=7)), "out").start()
    trial.graph.wait_until_done()
    assert trial.values("out") == [7, 8, 9]
