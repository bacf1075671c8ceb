"""How the application reads streams."""

import threading

import pytest
from trial import EMPTY, Trial, inputs, node, options

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.timestamp import MAX, PRE_STREAM


def test_inner_and_final_streams_are_observed():
    """Case OB1. Rules A2, A4."""
    trial = Trial(
        node("Count", "", "inner", options(count=10)) + node("PlusOne", "inner", "final"),
        "inner",
        "final",
    ).start()
    trial.graph.wait_until_done()
    assert trial.seen["inner"] == [(n, n) for n in range(10)]
    assert trial.seen["final"] == [(n + 1, n) for n in range(10)]


@pytest.mark.parametrize("deed", ["observe_output_stream", "add_output_stream_poller"])
def test_a_stream_that_is_not_there(deed):
    """Case OB3. Rule A2."""
    graph = Trial(inputs("in") + node("Pass", "in", "out")).graph
    with pytest.raises(StatusError, match="not_found_stream") as failure:
        getattr(graph, deed)("not_found_stream", *([print] if "observe" in deed else []))
    assert failure.value.code == Code.NOT_FOUND


@pytest.mark.parametrize("size", [-1, 1, 2, 5, 9])
def test_polling_a_thousand_packets(size):
    """Case OB4. Rule A3."""
    trial = Trial(node("Count", "", "a", options(count=1000, batch=1)) + node("PlusOne", "a", "b"))
    pollers = {name: trial.graph.add_output_stream_poller(name) for name in ("a", "b")}
    for poller in pollers.values():
        poller.set_max_queue_size(size)
    trial.start()
    pairs = []
    while (a := pollers["a"].next()) is not None:
        pairs.append((a.value, pollers["b"].next().value))
    assert pairs == [(n, n + 1) for n in range(1000)]
    trial.graph.wait_until_done()
    assert pollers["a"].next() is None
    assert pollers["b"].next() is None


def test_a_poller_hands_out_what_waits_before_it_reports_the_end_of_a_failed_run():
    """Rule A3."""
    trial = Trial(inputs("in") + node("Fail", "in", "out", options(time=2)))
    poller = trial.graph.add_output_stream_poller("out")
    trial.start()
    for time in range(3):
        trial.add("in", time, time)
    assert [packet.value for packet in poller] == [0, 1]
    with pytest.raises(RuntimeError):
        trial.graph.wait_until_done()


def test_a_poller_waits_for_the_next_packet():
    """Rule A3."""
    trial = Trial(inputs("in") + node("ThreadPass", "in", "out"))
    poller = trial.graph.add_output_stream_poller("out")
    trial.start()
    got = []
    reader = threading.Thread(target=lambda: got.append(poller.next().value))
    reader.start()
    trial.add("in", "x", 1)
    reader.join(10)
    assert got == ["x"]
    poller.reset()
    trial.finish()
    assert poller.next() is None


def test_an_observer_that_raises_fails_the_run_and_hears_no_more():
    """Rule A2."""
    calls = []

    def refuse(name, packet):
        calls.append(packet.value)
        raise KeyError("no such thing")

    trial = Trial(inputs("in") + node("Pass", "in", "out"))
    trial.graph.observe_output_stream("out", refuse)
    trial.start()
    trial.add("in", 1, 1)
    with pytest.raises(RuntimeError, match='observer of stream "out" failed: KeyError'):
        trial.idle()
    with pytest.raises(RuntimeError, match=r"Graph has errors: .*observer of stream"):
        trial.add("in", 2, 2)
    with pytest.raises(RuntimeError, match="observer"):
        trial.graph.wait_until_done()
    assert calls == [1]


def test_the_callback_is_given_the_name_of_the_stream():
    names = []
    trial = Trial(inputs("in") + node("Pass", "in", "out"))
    for stream in ("in", "out"):
        trial.graph.observe_output_stream(stream, lambda name, packet: names.append(name))
    trial.start()
    trial.add("in", 1, 1)
    trial.finish()
    assert sorted(names) == ["in", "out"]


def test_observing_bounds_of_special_times():
    """Rule A2."""
    trial = Trial(inputs("in") + node("Pass", "in", "out"), "out", bounds=True).start()
    trial.add("in", "first", PRE_STREAM)
    trial.finish()
    assert trial.seen["out"] == [("first", PRE_STREAM), (EMPTY, MAX)]


def test_waiting_for_an_observed_packet():
    """Rule A11."""
    trial = Trial(inputs("in") + node("ThreadPass", "in", "out"), "out").start()
    for time in range(3):
        trial.add("in", time, time)
        trial.graph.wait_for_observed_output()
        assert trial.values("out") == list(range(time + 1))
    trial.graph.close_all_packet_sources()
    with pytest.raises(RuntimeError, match="Graph is done") as failure:
        trial.graph.wait_for_observed_output()
    assert failure.value.code == Code.OUT_OF_RANGE
    trial.graph.wait_until_done()


def test_observers_and_pollers_serve_every_run():
    """Rule A14."""
    trial = Trial(node("Count", "", "out", options(count=3)), "out")
    poller = trial.graph.add_output_stream_poller("out")
    for _ in range(3):
        trial.start()
        assert [packet.value for packet in poller] == [0, 1, 2]
        trial.graph.wait_until_done()
    assert trial.values("out") == [0, 1, 2] * 3
