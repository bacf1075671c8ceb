import pytest
from core_run import SETTLED, Run, at, node, seen

from calcgraph.runtime.timestamp import PRE_STREAM

TIMES = [10, 20, 30, 40]


@pytest.mark.parametrize(
    ("offset", "times", "values"),
    [
        (0, TIMES, TIMES),
        (-1, [10, 20, 30], [20, 30, 40]),
        (-3, [10], [40]),
        (1, [20, 30, 40], [10, 20, 30]),
        (3, [40], [10]),
        (9, [], []),
    ],
)
@pytest.mark.parametrize("by_side_packet", [False, True], ids=["option", "side packet"])
def test_packets_take_the_time_of_another(offset, times, values, by_side_packet):
    if by_side_packet:
        graph = node("SequenceShiftCalculator", "in", "out", side="PACKET_OFFSET:offset")
    else:
        graph = node("SequenceShiftCalculator", "in", "out", options=f"packet_offset: {offset}")
    side = {"offset": offset} if by_side_packet else None
    assert seen(graph, {"in": at(TIMES)}, side_packets=side) == at(times, values)


@pytest.mark.parametrize(("tell", "told"), [("true", [(10, SETTLED)]), ("false", [])])
def test_readers_may_be_told_that_nothing_comes_first(tell, told):
    options = f"packet_offset: 1 emit_empty_packets_before_first_packet: {tell}"
    with Run(
        node("SequenceShiftCalculator", "in", "out", options=options), inputs="in", bounds=True
    ) as running:
        running.send("in", (10, 10))
        assert running.idle() == {"out": told}


@pytest.mark.parametrize("offset", [-5, 0, 7])
def test_packets_move_by_a_fixed_distance(offset):
    graph = node("TimestampOffsetCalculator", "in", "out", side="OFFSET:offset")
    assert seen(graph, {"in": at([10, 20])}, side_packets={"offset": offset}) == [
        (10 + offset, 10),
        (20 + offset, 20),
    ]


def test_an_option_may_give_the_distance():
    options = (
        "node_options { [type.googleapis.com/google.protobuf.Struct]"
        ' { fields { key: "offset" value { number_value: 3 } } } }'
    )
    graph = node("TimestampOffsetCalculator", "in", "out", extra=options)
    assert seen(graph, {"in": at([10])}) == [(13, 10)]


def test_prestream_stays_where_it_is():
    graph = node("TimestampOffsetCalculator", "in", "out", side="OFFSET:offset")
    assert seen(graph, {"in": [(PRE_STREAM, 1)]}, side_packets={"offset": 5}) == [(PRE_STREAM, 1)]


def test_bounds_move_along():
    graph = node("TimestampOffsetCalculator", "in", "out", side="OFFSET:offset")
    with Run(graph, "out", "in", {"offset": -5}, bounds=True) as running:
        running.bound("in", 21)
        assert running.idle() == {"out": [(15, SETTLED)]}
