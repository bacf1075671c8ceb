import pytest
from core_run import Run, at, node, run, seen

from calcgraph.calculators.core.video_header import VideoHeader
from calcgraph.runtime.errors import Code, GraphError, RunError
from calcgraph.runtime.timestamp import PRE_STREAM


def resampled(sent, options):
    graph = node("PacketResamplerCalculator", "in", "out", options=options)
    return seen(graph, {"in": at(sent)})


@pytest.mark.parametrize(
    ("rate", "sent", "frames", "times"),
    [
        (30, [], [], []),
        (30, [0], [0], [0]),
        (30, [1000], [1000], [1000]),
        (30, [16668], [16668], [16668]),
        (30, [0, 16666], [0], [0]),
        (30, [0, 16667], [0, 16667], [0, 33333]),
        (30, [0, 49999], [0, 49999], [0, 33333]),
        (30, [0, 50000], [0, 0, 50000], [0, 33333, 66667]),
        (30, [2000, 118666], [2000, 2000, 2000, 118666], [2000, 35333, 68667, 102000]),
        (30, [0, 33333, 66667, 100000], [0, 33333, 66667, 100000], [0, 33333, 66667, 100000]),
        (
            30,
            [0, 16666, 16667, 20000, 33300, 49999, 50000, 66600],
            [0, 33300, 66600],
            [0, 33333, 66667],
        ),
        (30, [0, 5000, 16666, 83334], [0, 16666, 16666, 83334], [0, 33333, 66667, 100000]),
        (
            30,
            [0, 15000, 32000, 49999, 150000],
            [0, 32000, 49999, 49999, 49999, 150000],
            [0, 33333, 66667, 100000, 133333, 166667],
        ),
        (500000, [0, 10, 13], [0, 0, 0, 0, 0, 10, 10, 13], [0, 2, 4, 6, 8, 10, 12, 14]),
        (30, [-200, -20, 16466], [-200], [-200]),
        (30, [-200, -20, 16467], [-200, 16467], [-200, 33133]),
        (30, [-500, 66667], [-500, -500, 66667], [-500, 32833, 66167]),
        (50, [0, 9999, 29999], [0, 29999], [0, 20000]),
        (50, [0, 10000, 50000], [0, 10000, 10000, 50000], [0, 20000, 40000, 60000]),
    ],
)
def test_a_packet_comes_at_every_period(rate, sent, frames, times):
    assert resampled(sent, f"frame_rate: {rate}") == at(times, frames)


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ("frame_rate: 50 start_time: 20000 end_time: 60000", [20000, 40000]),
        ("frame_rate: 50 base_timestamp: 5000", [5000, 25000, 45000, 65000]),
        ("frame_rate: 50 flush_last_packet: false", [0, 20000, 40000, 60000]),
        (
            "frame_rate: 50 start_time: 30000 end_time: 60000 round_limits: true",
            [20000, 40000, 60000],
        ),
    ],
    ids=["limits", "base", "no flush", "rounded limits"],
)
def test_options_move_the_periods(options, times):
    outputs = resampled([0, 15000, 33000, 58000, 71000], options)
    assert [time for time, _ in outputs] == times


def test_the_video_header_goes_out_with_the_new_frame_rate():
    graph = node(
        "PacketResamplerCalculator",
        "DATA:in VIDEO_HEADER:header",
        "DATA:out VIDEO_HEADER:header_out",
        options="frame_rate: 50",
    )
    header = VideoHeader(width=4, frame_rate=20.0)
    outputs = run(graph, {"header": [(PRE_STREAM, header)], "in": at([0, 20000])}, "out header_out")
    assert outputs == {
        "out": at([0, 20000]),
        "header_out": [(PRE_STREAM, VideoHeader(width=4, frame_rate=50.0))],
    }


def test_the_frame_rate_may_be_that_of_the_input_up_to_a_limit():
    graph = node(
        "PacketResamplerCalculator",
        "DATA:in VIDEO_HEADER:header",
        "DATA:out",
        options="use_input_frame_rate: true max_frame_rate: 50",
    )
    header = VideoHeader(frame_rate=80.0)
    packets = {"header": [(PRE_STREAM, header)], "in": at([0, 12500, 25000, 37500, 50000])}
    assert [time for time, _ in seen(graph, packets)] == [0, 20000, 40000, 60000]


@pytest.mark.parametrize("rate", ["0", "-1", "1000001"])
def test_an_impossible_frame_rate_is_an_error(rate):
    with pytest.raises(RunError, match="The output frame rate must be") as caught:
        resampled([], f"frame_rate: {rate}")
    assert caught.value.code is Code.INTERNAL


def test_jitter_is_not_supported():
    with pytest.raises(GraphError, match="not supported: jitter"):
        Run(
            node("PacketResamplerCalculator", "in", "out", options="frame_rate: 9 jitter: 0.5"),
            "",
            "in",
        )
