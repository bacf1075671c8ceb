"""What is constant for a run: given by the application or made by a node."""

import pytest
from trial import Trial, inputs, node

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import POST_STREAM

LATE = (
    inputs("in")
    + node("StreamToSide", "in", "", 'output_side_packet: "number"')
    + node("SideToStream", "", "out", 'input_side_packet: "number"')
)


def code_of(error):
    return error.value.code


def test_a_source_opens_when_a_node_has_made_its_side_packet():
    """Case SP1. Rules L2, K1."""
    trial = Trial(LATE, "out")
    for value in (11, 22):
        trial.clear()
        trial.start()
        trial.add("in", value, 1)
        trial.idle()
        trial.finish()
        assert trial.seen["out"] == [(value, POST_STREAM)]


def make(deed):
    return Trial(
        inputs("in")
        + node("Lambda", "in", "", 'input_side_packet: "PROCESS:p" output_side_packet: "number"')
    ).start(p=deed)


@pytest.mark.parametrize(
    ("deed", "code", "message"),
    [
        (
            lambda port: (port.set(1), port.set(2)),
            Code.ALREADY_EXISTS,
            'Output side packet "number" was already set.',
        ),
        (lambda port: port.set(Packet(1, 237)), Code.INVALID_ARGUMENT, "has a timestamp 237."),
        (lambda port: port.set(Packet()), Code.INVALID_ARGUMENT, "is empty"),
    ],
    ids=["twice", "with a time", "empty"],
)
def test_a_side_packet_is_set_once_and_has_no_time(deed, code, message):
    """Case SP2. Rule K4."""
    trial = make(lambda cc: deed(cc.output_side_packets[0]))
    trial.add("in", 0, 0)
    with pytest.raises(StatusError) as failure:
        trial.idle()
    assert message in str(failure.value)
    assert code_of(failure) == code
    trial.graph.cancel()


def test_nodes_of_side_packets_only():
    """Case SP4: 1 + 1 = 2, 2 + 1 = 3, and a source that emits it at the end of time."""
    trial = Trial(
        node(
            "SideAdd",
            "",
            "",
            'input_side_packet: "one" input_side_packet: "one" output_side_packet: "two"',
        )
        + node(
            "SideAdd",
            "",
            "",
            'input_side_packet: "two" input_side_packet: "one" output_side_packet: "three"',
        )
        + node("SideToStream", "", "out", 'input_side_packet: "three"'),
        "out",
    ).start(one=1)
    trial.graph.wait_until_done()
    assert trial.seen["out"] == [(3, POST_STREAM)]
    assert trial.graph.get_output_side_packet("two").value == 2


def test_asking_for_a_side_packet():
    """Case SP6. Rule K5."""
    trial = Trial(LATE).start()
    with pytest.raises(RuntimeError) as unknown:
        trial.graph.get_output_side_packet("nothing")
    assert code_of(unknown) == Code.NOT_FOUND
    with pytest.raises(RuntimeError) as early:
        trial.graph.get_output_side_packet("number")
    assert code_of(early) == Code.UNAVAILABLE
    trial.add("in", 5, 0)
    trial.idle()
    assert trial.graph.get_output_side_packet("number").value == 5
    trial.finish()
    assert trial.graph.get_output_side_packet("number").value == 5


NEEDS = inputs("in") + node("TimeShift", "in", "out", 'input_side_packet: "SHIFT:d"')


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({}, Code.INVALID_ARGUMENT, 'Side packet "d" is required but was not provided.'),
        ({"d": "far"}, Code.INVALID_ARGUMENT, "expected int, found str"),
    ],
)
def test_what_the_graph_needs_is_asked_for_and_the_graph_can_start_again(given, code, message):
    """Rules K2, A5."""
    trial = Trial(NEEDS)
    with pytest.raises(ValueError) as failure:
        trial.start(**given)
    assert message in str(failure.value)
    assert code_of(failure) == code
    trial.start(d=0, unused=1)
    trial.finish()


def test_all_that_is_missing_is_said_at_once():
    trial = Trial(NEEDS + node("TimeShift", "in", "out2", 'input_side_packet: "SHIFT:e"'))
    with pytest.raises(ValueError, match=r'"d" is required(.|\n)*"e" is required'):
        trial.start()


def test_a_side_packet_has_one_giver():
    """Rule K2."""
    trial = Trial(NEEDS, side_packets={"d": 1})
    with pytest.raises(RuntimeError) as twice:
        trial.start(d=1)
    assert code_of(twice) == Code.ALREADY_EXISTS
    with pytest.raises(RuntimeError) as made:
        Trial(LATE).start(number=1)
    assert code_of(made) == Code.UNKNOWN


def test_side_packets_of_the_graph_hold_for_every_run():
    """Rule K1."""
    trial = Trial(NEEDS, "out", side_packets={"d": 5})
    for _ in range(2):
        trial.clear()
        trial.start()
        trial.add("in", "x", 1)
        trial.finish()
        assert trial.seen["out"] == [("x", 6)]


def test_an_optional_side_packet_that_is_not_given_is_no_port():
    """Rule K3."""
    seen = []
    trial = Trial(
        inputs("in")
        + node("Lambda", "in", "out", 'input_side_packet: "PROCESS:p" input_side_packet: "OPEN:o"')
    )
    trial.start(p=lambda cc: seen.append(list(cc.input_side_packets)))
    trial.add("in", 0, 0)
    trial.finish()
    assert seen == [[("PROCESS", 0)]]


def test_a_node_of_side_packets_only_makes_them_once_while_it_is_given_the_same():
    """Rule L11."""
    opened = []

    def make_list(cc):
        opened.append(cc.input_side_packets["SEED"].value)
        cc.output_side_packets[0].set([cc.input_side_packets["SEED"].value])

    trial = Trial(
        inputs("in")
        + node(
            "Lambda",
            "",
            "",
            'input_side_packet: "OPEN:o" input_side_packet: "SEED:seed" output_side_packet: "made"',
        )
        + node(
            "Lambda", "in", "out", 'input_side_packet: "PROCESS:p" input_side_packet: "MADE:made"'
        )
    )
    seen = []

    def run(seed):
        trial.start(
            o=make_list, seed=seed, p=lambda cc: seen.append(cc.input_side_packets["MADE"].value)
        )
        trial.add("in", 0, 0)
        trial.finish()

    first, second = "first", "second"
    run(first)
    run(first)
    assert opened == ["first"]
    assert seen[0] is seen[1]
    run(second)
    assert opened == ["first", "second"]
    assert seen[2] == ["second"]
    assert trial.graph.get_output_side_packet("made").value == ["second"]
