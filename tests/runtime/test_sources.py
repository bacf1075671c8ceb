"""Nodes that make packets out of nothing."""

import pytest
from trial import Trial, inputs, node, options


def test_a_slow_reader_gets_everything_from_a_source_that_has_ended():
    """Case SC4."""
    trial = Trial(
        node("Count", "", "numbers", options(count=10, batch=10))
        + node("ThreadPass", "numbers", "out"),
        "out",
    ).start()
    trial.graph.wait_until_done()
    assert trial.values("out") == list(range(10))


EVENTS = (
    "max_queue_size: 5\n"
    + inputs("input")
    + node(
        "Lambda",
        "",
        "OUT:count EVENT:event",
        'input_side_packet: "OPEN:o" input_side_packet: "PROCESS:sp" input_side_packet: "CLOSE:c"',
    )
    + node(
        "Lambda",
        "count input",
        "count_out input_out EVENT:event_out",
        'input_side_packet: "OPEN:o" input_side_packet: "PROCESS:p" input_side_packet: "CLOSE:c"',
    )
)


def test_closing_all_packet_sources_from_an_observer():
    """Case LC7. Rule A8."""
    made = []

    def produce(cc):
        cc.outputs["OUT"].add(len(made), len(made))
        made.append(1)

    def pass_on(cc):
        for index in range(2):
            if cc.inputs[index]:
                cc.outputs[index].add_packet(cc.inputs[index])

    trial = Trial(EVENTS, "event", "event_out")
    out = []

    def observe(name, packet):
        out.append(packet.value)
        if len(out) == 8:
            trial.graph.close_all_packet_sources()

    trial.graph.observe_output_stream("input_out", observe)
    trial.start(
        o=lambda cc: cc.outputs["EVENT"].add(1, 1),
        c=lambda cc: cc.outputs["EVENT"].add(2, 2),
        sp=produce,
        p=pass_on,
    )
    for time in range(8):
        trial.add("input", time, time)
    trial.graph.wait_until_done()
    assert out == list(range(8))
    assert trial.values("event") == [1, 2]
    assert trial.values("event_out") == [1, 2]


def test_a_layer_starts_when_the_one_below_has_ended():
    order = []
    trial = Trial(
        node("Count", "", "late", "source_layer: 1 " + options(count=2))
        + node("Count", "", "early", options(count=2))
    )
    for name in ("late", "early"):
        trial.graph.observe_output_stream(name, lambda name, packet: order.append(name))
    trial.start()
    trial.graph.wait_until_done()
    assert order == ["early", "early", "late", "late"]


def test_a_source_below_that_can_never_open_is_a_deadlock():
    """Rule D10."""
    trial = Trial(
        inputs("in")
        + node("StreamToSide", "in", "", 'output_side_packet: "number"')
        + node("SideToStream", "", "never", 'input_side_packet: "number"')
        + node("Count", "", "late", "source_layer: 1 " + options(count=2))
    ).start()
    trial.graph.close_all_input_streams()
    with pytest.raises(RuntimeError, match="deadlock because source nodes cannot be activated"):
        trial.graph.wait_until_done()


def test_the_source_that_is_furthest_behind_goes_first():
    """Rule D2."""
    trial = Trial(
        "num_threads: 1\n"
        + node("Count", "", "fast", options(count=4, step=100))
        + node("Count", "", "slow", options(count=4, step=1))
        + node("Merge", "fast slow", "out"),
        "out",
    ).start()
    trial.graph.wait_until_done()
    assert trial.values("out") == [
        "0: 0 0",
        "1: empty 1",
        "2: empty 2",
        "3: empty 3",
        "100: 1 empty",
        "200: 2 empty",
        "300: 3 empty",
    ]


def test_a_source_that_fails_ends_the_run():
    trial = Trial(node("Count", "", "out", options(count=9, error_after=3)), "out").start()
    with pytest.raises(
        RuntimeError, match='node "Count" failed: ValueError: the count was told to'
    ):
        trial.graph.wait_until_done()
    assert trial.values("out") == [0, 1, 2]


def test_an_endless_source_does_not_hold_up_start_run():
    trial = Trial(node("Endless", "", "out"), "out").start()
    trial.graph.wait_for_observed_output()
    trial.graph.cancel()
    with pytest.raises(RuntimeError, match="Cancel"):
        trial.graph.wait_until_done()
