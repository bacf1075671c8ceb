from core_run import SETTLED, Run, at, node, run

from calcgraph.runtime.timestamp import MIN

DEFAULT = 'input_stream_handler { input_stream_handler: "DefaultInputStreamHandler" }'


def test_an_input_goes_out_right_after_the_latest_tick():
    with Run(
        node("PacketSequencerCalculator", "INPUT:in TICK:tick", "OUTPUT:out"), inputs="in tick"
    ) as running:
        running.send("in", (100, "first"))
        running.idle()
        running.send("tick", (10, 0))
        running.idle()
        running.send("in", (200, "second"))
        assert running.idle() == {"out": [(MIN, "first"), (11, "second")]}


def test_an_input_that_comes_with_a_tick_holds_for_that_tick():
    graph = node("PacketSequencerCalculator", "INPUT:in TICK:tick", "OUTPUT:out", extra=DEFAULT)
    packets = {"in": [(20, "a")], "tick": at([10, 20, 30])}
    assert run(graph, packets, bounds=True) == {
        "out": [(10, SETTLED), (11, "a"), (20, SETTLED), (30, SETTLED)]
    }


def test_ticks_of_several_streams_count():
    graph = node("PacketSequencerCalculator", "INPUT:in TICK:0:t0 TICK:1:t1", "OUTPUT:out")
    with Run(graph, inputs="in t0 t1") as running:
        for stream, time in [("t0", 5), ("t1", 8), ("in", 1)]:
            running.send(stream, (time, stream))
            running.idle()
        assert running.idle() == {"out": [(9, "in")]}
