import pytest
from core_run import SETTLED, Run, at, node, run, seen

from calcgraph.runtime.errors import Code, GraphError

TIMES = [42, 43, 44, 45]


@pytest.mark.parametrize(
    ("tag", "passed"), [("ALLOW", [42, 44]), ("DISALLOW", [43, 45])], ids=["ALLOW", "DISALLOW"]
)
def test_a_control_stream_opens_and_closes_the_gate(tag, passed):
    packets = {"in": at(TIMES), "control": at(TIMES, [True, False, True, False])}
    assert seen(node("GateCalculator", f"in {tag}:control", "out"), packets) == at(passed)


@pytest.mark.parametrize(
    ("tag", "value", "passed"),
    [
        ("ALLOW", True, TIMES),
        ("ALLOW", False, []),
        ("DISALLOW", True, []),
        ("DISALLOW", False, TIMES),
    ],
)
def test_a_side_packet_decides_for_the_whole_run(tag, value, passed):
    graph = node("GateCalculator", "in", "out", side=f"{tag}:control")
    assert seen(graph, {"in": at(TIMES)}, side_packets={"control": value}) == at(passed)


@pytest.mark.parametrize(
    ("options", "passed"), [("allow: true", TIMES), ("allow: false", []), ("", [])]
)
def test_without_a_control_the_option_decides(options, passed):
    assert seen(node("GateCalculator", "in", "out", options=options), {"in": at(TIMES)}) == at(
        passed
    )


@pytest.mark.parametrize(("value", "passed"), [("true", [42, 43, 44, 45]), ("false", [42])])
def test_a_time_without_a_control_packet_is_open_or_closed_by_option(value, passed):
    graph = node(
        "GateCalculator", "in ALLOW:control", "out", options=f"empty_packets_as_allow: {value}"
    )
    assert seen(graph, {"in": at(TIMES), "control": [(42, True)]}) == at(passed)


@pytest.mark.parametrize(
    ("controls", "options", "changes"),
    [
        ([False, True, True, False], "", [(43, True), (45, False)]),
        ([True, True, True, True], "", []),
        ([True, True, True, True], "initial_gate_state: GATE_DISALLOW", [(42, True)]),
        (
            [False, True, False, False],
            "initial_gate_state: GATE_ALLOW",
            [(42, False), (43, True), (44, False)],
        ),
    ],
    ids=["from the second state on", "no change", "opens at once", "closes at once"],
)
def test_state_changes_are_told(controls, options, changes):
    graph = node("GateCalculator", "in ALLOW:control", "out STATE_CHANGE:changes", options=options)
    packets = {"in": at(TIMES), "control": at(TIMES, controls)}
    assert run(graph, packets, "changes") == {"changes": changes}


def test_readers_of_a_closed_gate_do_not_wait():
    graph = node("GateCalculator", "in ALLOW:control", "out")
    with Run(graph, inputs="in control", bounds=True) as running:
        running.send("in", (1, 1))
        running.send("control", (1, False))
        assert running.idle() == {"out": [(1, SETTLED)]}


def test_without_data_a_gate_still_tells_its_changes():
    graph = node("GateCalculator", "ALLOW:control", "STATE_CHANGE:out")
    assert seen(graph, {"control": at([1, 2, 3], [True, True, False])}) == [(3, False)]


def test_several_streams_pass_one_gate():
    graph = node("GateCalculator", "a b ALLOW:control", "a2 b2")
    packets = {"a": at([1, 2]), "b": at([2, 3]), "control": at([1, 2, 3], [False, True, True])}
    assert run(graph, packets, "a2 b2") == {"a2": at([2]), "b2": at([2, 3])}


@pytest.mark.parametrize(
    ("inputs", "side"),
    [
        ("in ALLOW:c DISALLOW:c", ""),
        ("in", "ALLOW:s DISALLOW:s"),
        ("in ALLOW:c", "ALLOW:s"),
        ("in DISALLOW:c", "DISALLOW:s"),
        ("in ALLOW:c", "DISALLOW:s"),
        ("in DISALLOW:c", "ALLOW:s"),
    ],
)
def test_two_controls_are_refused(inputs, side):
    with pytest.raises(GraphError, match="a gate has one control") as caught:
        Run(node("GateCalculator", inputs, "out", side=side), "", "in c", {"s": True})
    assert caught.value.code is Code.INTERNAL
