"""Rules of a run that show only while a call is at work, or when something has failed."""

import threading
from concurrent.futures import Executor, Future

import pytest
from trial import Trial, inputs, node, options
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.timestamp import PRE_STREAM

PROCESS = 'input_side_packet: "PROCESS:p"'


@pytest.mark.parametrize("kind", ["Lambda", "ThreadLambda"])
def test_what_a_call_writes_goes_out_when_it_has_returned(kind):
    """Rule S1."""
    within = []

    def process(cc):
        for time in (1, 2):
            cc.outputs[0].add(f"packet {time}", time)
            within.append(list(run.seen["out"]))

    run = Trial(inputs("in") + node(kind, "in", "out", PROCESS), "out").start(p=process)
    run.add("in", 0, 0)
    run.finish()
    assert within == [[], []]
    assert run.values("out") == ["packet 1", "packet 2"]


def test_a_call_starts_from_the_bound_that_was_delivered():
    """Rule S10."""
    bounds = []

    def process(cc):
        bounds.append(int(cc.outputs[0].next_timestamp_bound))
        cc.outputs[0].add("x", cc.timestamp * 10)
        bounds.append(int(cc.outputs[0].next_timestamp_bound))

    run = Trial(inputs("in") + node("Lambda", "in", "out", PROCESS)).start(p=process)
    for time in (1, 2):
        run.add("in", 0, time)
    run.finish()
    assert bounds == [PRE_STREAM, 11, 11, 21]


def test_after_an_error_nothing_new_begins_and_what_runs_is_not_interrupted():
    """Rule D9."""
    entered, release, calls = threading.Event(), threading.Event(), []

    def slow(cc):
        calls.append("begun")
        entered.set()
        assert release.wait(10)
        calls.append("ended")

    def fail(cc):
        raise ValueError("told to fail")

    run = Trial(
        "num_threads: 2\n"
        + inputs("in", "other")
        + node("ThreadLambda", "in", "a", PROCESS)
        + node("Lambda", "other", "b", 'input_side_packet: "PROCESS:f"')
    ).start(p=slow, f=fail)
    for time in range(3):
        run.add("in", time, time)
    assert entered.wait(10)
    run.add("other", 0, 0)
    assert run.graph.has_error()
    assert calls == ["begun"]
    release.set()
    with pytest.raises(RuntimeError, match="told to fail"):
        run.graph.wait_until_done()
    assert calls == ["begun", "ended"]


class Inline(Executor):
    """Runs what it is given before it returns."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("limit", [1, 100])
def test_an_executor_may_run_what_it_is_given_inline(limit):
    """Rule X3: the run then goes on within start_run and within adding a packet."""
    threads = []
    text = inputs("in") + node("WhichThread", "in", "threads") + node("ThreadPass", "in", "a")
    run = Trial(
        f"max_queue_size: {limit}\n" + text + node("Merge", "a in", "out"),
        "threads",
        "out",
        thread_pool=Inline(),
    )
    run.graph.observe_output_stream("out", lambda *_: threads.append(threading.get_ident()))
    for _ in range(2):
        run.clear()
        run.start()
        for time in range(50):
            run.add("in", time, time)
        assert run.values("out") == [f"{time}: {time} {time}" for time in range(50)]
        run.finish()
    assert set(threads) | set(run.values("threads")) == {threading.get_ident()}


def test_a_source_on_an_inline_executor_runs_through():
    """Rules X3, A4."""
    text = node("Count", "", "numbers", options(count=5000)) + node("PlusOne", "numbers", "out")
    run = Trial(text, "out", thread_pool=Inline())
    run.start()
    run.graph.wait_until_done()
    assert run.values("out") == list(range(1, 5001))


@trial("Remembers")
class Remembers(AnyToAny):
    """Adds itself to the list that comes in."""

    def process(self, cc):
        cc.inputs[0].value.append(self)
        cc.outputs[0].add_packet(cc.inputs[0])


def test_an_instance_is_of_one_run_and_one_node():
    """Rule L1."""
    seen = []
    text = inputs("in") + node("Remembers", "in", "a") + node("Remembers", "a", "out")
    run = Trial(text, "out")
    for _ in range(2):
        run.start()
        run.add("in", seen, 0)
        run.finish()
    assert len({id(each) for each in seen}) == 4


def test_a_run_that_cannot_start_leaves_the_graph_as_it_was():
    """Rule A5."""
    run = Trial(
        inputs("in") + node("TimeShift", "in", "out", 'input_side_packet: "SHIFT:d"'), "out"
    )
    for _ in range(2):
        with pytest.raises(ValueError, match='Side packet "d" is required'):
            run.start()
        assert not run.graph.has_error()
        with pytest.raises(StatusError) as failure:
            run.add("in", 1, 1)
        assert failure.value.code == Code.FAILED_PRECONDITION
        run.start(d=0)
        run.add("in", "x", 1)
        run.finish()
    assert run.seen["out"] == [("x", 1), ("x", 1)]


def test_counters_add_up_over_runs_and_are_named_after_their_node():
    """Rule A15."""
    run = Trial(inputs("in") + node("Pass", "in", "out", 'name: "the node"'))
    for count in (1, 2):
        run.start()
        for time in range(3):
            run.add("in", 0, time)
        run.finish()
        assert run.graph.counters.values() == {"the node-PassThrough": 3 * count}
