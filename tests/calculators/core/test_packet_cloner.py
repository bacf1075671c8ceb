import pytest
from core_run import SETTLED, Run, at, node, run

PACKETS = {"a": at([1, 4]), "b": at([3]), "tick": at([0, 2, 3, 5])}


@pytest.mark.parametrize(
    ("options", "a", "b"),
    [
        ("", [(2, 1), (3, 1), (5, 4)], [(3, 3), (5, 3)]),
        ("output_only_when_all_inputs_received: true", [(3, 1), (5, 4)], [(3, 3), (5, 3)]),
        ("output_packets_only_when_all_inputs_received: true", [(3, 1), (5, 4)], [(3, 3), (5, 3)]),
    ],
    ids=["each when it has one", "all or nothing", "all or a bound"],
)
@pytest.mark.parametrize("tick", ["tick", "TICK:tick"], ids=["last input", "TICK"])
def test_the_latest_packets_are_repeated_at_every_tick(options, a, b, tick):
    graph = node("PacketClonerCalculator", f"a b {tick}", "a2 b2", options=options)
    assert run(graph, PACKETS, "a2 b2") == {"a2": a, "b2": b}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("", [(7, SETTLED)]),
        ("output_only_when_all_inputs_received: true", []),
        ("output_packets_only_when_all_inputs_received: true", [(7, SETTLED)]),
    ],
)
def test_whether_readers_are_told_that_there_is_nothing_yet(options, told):
    graph = node("PacketClonerCalculator", "a tick", "out", options=options)
    with Run(graph, inputs="a tick", bounds=True) as running:
        running.send("tick", (7, 0))
        running.bound("a", 8)
        assert running.idle() == {"out": told}


def test_tagged_inputs_go_to_the_outputs_of_the_same_tag():
    graph = node("PacketClonerCalculator", "A:a B:b TICK:tick", "A:a2 B:b2")
    packets = {"a": [(0, "a")], "b": [(0, "b")], "tick": [(5, 0)]}
    assert run(graph, packets, "a2 b2") == {"a2": [(5, "a")], "b2": [(5, "b")]}
