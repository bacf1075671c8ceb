"""Back pressure: who is held back, when, and how a deadlock is resolved."""

import threading

import pytest
from trial import Trial, inputs, node, options

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.graph import GraphInputStreamAddMode

ADD_IF_NOT_FULL = GraphInputStreamAddMode.ADD_IF_NOT_FULL


def blocked(limit):
    trial = Trial(
        f"max_queue_size: {limit}\n"
        + inputs("in")
        + node("Blocker", "in", "out", 'input_side_packet: "PERMITS:permits"'),
        "out",
    )
    return trial, threading.Semaphore(0)


def try_to_add(trial, count):
    """How many of `count` packets were refused."""
    refused = 0
    for time in range(count):
        try:
            trial.add("in", time, time)
        except StatusError as error:
            assert error.code == Code.UNAVAILABLE
            assert error.message == "Graph is throttled."
            refused += 1
    return refused


def test_a_packet_too_many_is_refused():
    """Cases TH1, TH3: in two runs. Rule D4."""
    trial, permits = blocked(1)
    trial.graph.graph_input_stream_add_mode = ADD_IF_NOT_FULL
    for _ in range(2):
        trial.clear()
        trial.start(permits=permits)
        refused = try_to_add(trial, 20)
        assert refused >= 18
        permits.release(20)
        trial.finish()
        assert len(trial.seen["out"]) == 20 - refused
        while permits.acquire(blocking=False):
            pass


def test_adding_waits_until_there_is_room():
    """Case TH4. Rule D4."""
    trial, permits = blocked(10)
    trial.start(permits=permits)
    adder = threading.Thread(target=try_to_add, args=(trial, 20))
    adder.start()
    permits.release(20)
    adder.join(10)
    assert not adder.is_alive()
    trial.finish()
    assert trial.values("out") == list(range(20))


@pytest.mark.parametrize("kind", ["Decimator"])
def test_a_join_that_waits_for_a_decimated_stream(kind):
    """Case TH6: limits grow, since one input of the join is full and the other silent."""
    trial = Trial(
        "max_queue_size: 1\n"
        + inputs("in")
        + node(kind, "in", "few")
        + node("Merge", "few in", "out"),
        "out",
    ).start()
    for time in range(202):
        trial.add("in", time, time)
    trial.finish()
    assert trial.values("out") == [
        f"{t}: {t} {t}" if t % 101 == 0 else f"{t}: empty {t}" for t in range(202)
    ]


def test_a_deadlock_is_reported_when_the_graph_asks_for_that():
    """Case TH7. Rule D6."""
    trial = Trial(
        "max_queue_size: 1 report_deadlock: true\n"
        + inputs("input1", "input2")
        + node("Pass", "input1 input2", "a b", 'name: "PassThroughCalculator"')
    ).start()
    trial.add("input1", 1, 1)
    with pytest.raises(StatusError) as failure:
        trial.add("input1", 2, 2)
    assert failure.value.code == Code.UNAVAILABLE
    for word in ("deadlock", "input1", "PassThroughCalculator"):
        assert word in str(failure.value)
    with pytest.raises(RuntimeError, match="Detected a deadlock due to input throttling"):
        trial.graph.wait_until_done()


def test_limits_grow_as_far_as_a_deadlock_asks_and_no_further():
    """Case TH9. Rule D5."""
    permits = threading.Semaphore(0)

    def pass_on(cc):
        assert permits.acquire(timeout=10)
        for index in range(2):
            if cc.inputs[index]:
                cc.outputs[index].add_packet(cc.inputs[index])

    trial = Trial(
        "max_queue_size: 2\n"
        + inputs("in_1", "in_2")
        + node("ThreadLambda", "in_1 in_2", "out_1 out_2", 'input_side_packet: "PROCESS:p"'),
        "out_1",
    ).start(p=pass_on)
    permits.release(9)
    for time in range(1, 10):
        trial.add("in_1", time, time)
        trial.idle()
    permits.release(1)
    trial.add("in_2", 30, 30)
    trial.idle()
    assert len(trial.seen["out_1"]) == 9
    for time in range(11, 23):
        trial.add("in_1", time, time)
    trial.graph.graph_input_stream_add_mode = ADD_IF_NOT_FULL
    with pytest.raises(RuntimeError, match="Graph is throttled"):
        trial.add("in_1", 23, 23)
    permits.release(12)
    trial.idle()
    trial.finish()
    assert len(trial.seen["out_1"]) == 21


def test_limits_are_as_configured_in_the_next_run():
    """Rules D5, A14."""
    trial = Trial("max_queue_size: 1\n" + inputs("a", "b") + node("Pass", "a b", "c d"))
    for _ in range(2):
        trial.start()
        for time in range(9):
            trial.add("a", time, time)
        assert trial.graph._run.nodes[0].queues[0].limit == 10
        assert trial.graph._run.nodes[0].queues[1].limit == 1
        trial.finish()


def test_sources_are_held_back_and_nodes_between_are_not():
    """Rule D3."""
    permits, made = threading.Semaphore(0), []

    def produce(cc):
        made.append(1)
        cc.outputs[0].add(len(made), len(made))

    def take(cc):
        assert permits.acquire(timeout=10)

    trial = Trial(
        "max_queue_size: 3 num_threads: 2\n"
        + node("Lambda", "", "numbers", 'input_side_packet: "PROCESS:p"')
        + node("Pass", "numbers", "passed")
        + node("ThreadLambda", "passed", "", 'input_side_packet: "PROCESS:take"')
    ).start(p=produce, take=take)
    queue = trial.graph._run.nodes[2].queues[0]
    trial.graph._run.wait(lambda: queue.full)
    assert len(made) <= 5
    permits.release(1000)
    trial.graph.cancel()
    with pytest.raises(RuntimeError, match="Cancel"):
        trial.graph.wait_until_done()


def test_minus_one_takes_everything():
    """Rules D4, S16."""
    trial, permits = blocked(-1)
    trial.start(permits=permits)
    trial.graph.graph_input_stream_add_mode = ADD_IF_NOT_FULL
    assert try_to_add(trial, 5000) == 0
    permits.release(5000)
    trial.finish()
    assert len(trial.seen["out"]) == 5000


def test_the_default_limit_is_100():
    assert Trial(inputs("in") + node("Pass", "in", "out")).graph.max_queue_size == 100


def test_a_poller_that_is_full_holds_back_and_is_never_grown():
    """Rule D7."""
    trial = Trial(
        "num_threads: 1\n"
        + node("Count", "", "numbers", options(count=50))
        + node("Pass", "numbers", "out")
    )
    poller = trial.graph.add_output_stream_poller("out")
    poller.set_max_queue_size(3)
    trial.start()
    trial.graph.wait_until_idle()
    assert 3 <= poller.queue_size() <= 4  # a source whose turn has come is not called back
    assert [packet.value for packet in poller] == list(range(50))
    trial.graph.wait_until_done()


def test_waiting_to_add_ends_with_the_run():
    trial, permits = blocked(1)
    trial.start(permits=permits)
    failures = []

    def add():
        try:
            for time in range(9):
                trial.add("in", time, time)
        except RuntimeError as error:
            failures.append(str(error))

    adder = threading.Thread(target=add)
    adder.start()
    source = trial.graph._run.inputs["in"]
    trial.graph._run.wait(lambda: source.held_back)
    trial.graph.cancel()
    adder.join(10)
    assert not adder.is_alive()
    assert "Graph has errors: " in failures[0]
    permits.release(9)
    with pytest.raises(RuntimeError, match="Cancel"):
        trial.graph.wait_until_done()
