import pytest
from core_run import SETTLED, Run, at, node, run, seen

from calcgraph.calculators.core.video_header import VideoHeader
from calcgraph.proto.core_calculators_pb2 import PacketThinnerCalculatorOptions
from calcgraph.proto.options_pb2 import CalculatorOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.errors import RunError
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.registry import register

PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
EVEN = [2, 4, 6, 8, 10, 12, 14]
EIGHTS = [8, 16, 24, 32, 40, 48, 56]
SYNC = "thinner_type: SYNC start_time: 0 period: 5"


@pytest.mark.parametrize(
    ("options", "sent", "times"),
    [
        ("period: 5 start_time: 4 end_time: 12", PRIMES, [5, 11]),
        ("period: 5", EVEN, [2, 8, 14]),
        ("period: 5", PRIMES, [2, 7, 13, 19, 29]),
        (f"{SYNC} sync_output_timestamps: false", EVEN, [2, 6, 10, 14]),
        (f"{SYNC} sync_output_timestamps: true", EVEN, [0, 5, 10, 15]),
        (f"{SYNC} sync_output_timestamps: false", PRIMES, [2, 5, 11, 17, 19, 23, 29]),
        (SYNC, EIGHTS, [10, 15, 25, 30, 40, 50, 55]),
        ("thinner_type: SYNC start_time: -10 period: 5", [2, 3], [0, 5]),
        ("thinner_type: SYNC start_time: -144 period: 6", [-4, -3, 8, 9], [-6, 0, 6, 12]),
    ],
)
def test_one_packet_a_period_is_left(options, sent, times):
    outputs = seen(node("PacketThinnerCalculator", "in", "out", options=options), {"in": at(sent)})
    assert [time for time, _ in outputs] == times


def test_of_two_equally_near_packets_the_later_one_is_sent():
    graph = node("PacketThinnerCalculator", "in", "out", options="thinner_type: SYNC period: 4")
    assert seen(graph, {"in": at([3, 5])}) == [(4, 5)]


def test_a_side_packet_may_give_the_period():
    graph = node("PacketThinnerCalculator", "in", "out", side="PERIOD:period")
    assert seen(graph, {"in": at(EVEN)}, side_packets={"period": 5}) == at([2, 8, 14])


@pytest.mark.parametrize("wrapped", [False, True], ids=["the message", "CalculatorOptions"])
def test_a_side_packet_may_give_options(wrapped):
    """Rule O5."""
    options: object = PacketThinnerCalculatorOptions(period=5)
    if wrapped:
        options = CalculatorOptions()
        options.Extensions[PacketThinnerCalculatorOptions.ext].period = 5
    graph = node(
        "PacketThinnerCalculator", "in", "out", side="OPTIONS:o", options="start_time: 3 period: 2"
    )
    assert seen(graph, {"in": at(EVEN)}, side_packets={"o": options}) == at([4, 10])


def test_readers_know_when_the_next_packet_may_come():
    with Run(
        node("PacketThinnerCalculator", "in", "out", options="period: 50"), inputs="in", bounds=True
    ) as running:
        running.send("in", (100, "x"))
        assert running.idle() == {"out": [(100, "x"), (149, SETTLED)]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("period: 0", "the period must be positive, found 0"),
        ("start_time: 9 end_time: 9", "start_time 9 is not before end_time 9"),
    ],
)
def test_options_that_make_no_sense_are_an_error(options, message):
    with pytest.raises(RunError, match=message):
        run(node("PacketThinnerCalculator", "in", "out", options=options), {"in": []})


@register
class WithVideoHeader(Calculator):
    """Passes packets on, and gives their stream a video header."""

    inputs = {"": int}
    outputs = {"": int}
    input_side_packets = {"": float}

    def open(self, cc):
        rate = cc.input_side_packets[0].value
        cc.outputs[0].set_header(Packet(VideoHeader(width=3, frame_rate=rate)))

    def process(self, cc):
        cc.outputs[0].add_packet(cc.inputs[0])


@register
class HeaderAsPacket(Calculator):
    """The header of a stream, as a packet."""

    inputs = {"": int}
    outputs = {"": VideoHeader}

    def process(self, cc):
        cc.outputs[0].add(cc.inputs.header(0).value)


@pytest.mark.parametrize(
    ("options", "rate", "thinned"),
    [
        ("period: 5 update_frame_rate: true", 1e6 / 2, 1e6 / 6),
        ("period: 5 update_frame_rate: true", 1e6 / 8, 1e6 / 8),
        (f"{SYNC} update_frame_rate: true", 1e6 / 2, 1e6 / 5),
        (f"{SYNC} update_frame_rate: true", 1e6 / 8, 1e6 / 8),
        ("period: 5", 1e6 / 2, 1e6 / 2),
    ],
)
def test_the_header_tells_the_frame_rate_that_is_left(options, rate, thinned):
    graph = (
        node("WithVideoHeader", "in", "headed", side="rate")
        + node("PacketThinnerCalculator", "headed", "thin", options=options)
        + node("HeaderAsPacket", "thin", "out")
    )
    [(_, header)] = seen(graph, {"in": at([0])}, side_packets={"rate": rate})
    assert header == VideoHeader(width=3, frame_rate=pytest.approx(thinned))
