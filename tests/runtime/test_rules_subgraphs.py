"""Graphs within graphs give what the same graph gives written flat, and what is optional may be left out."""

import itertools

import pytest
from trial import Trial, inputs, node
from trial_calculators import trial

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.contract import optional

CHAIN = (
    'type: "Chain" package: "trial"\n'
    'input_stream: "IN:start" output_stream: "OUT:end"\n'
    + node("EvenFilter", "start", "even")
    + node("PlusOne", "even", "end")
)
INNER = ["chain__even", "chain_2__even"]
WITH_SUBGRAPHS = (
    inputs("numbers")
    + node("Chain", "IN:numbers", "OUT:odd", 'name: "chain"')
    + node("Chain", "IN:plus", "OUT:other", 'name: "chain_2"')
    + node("PlusOne", "numbers", "plus")
    + node("Merge", "odd other", "out")
)
FLAT = (
    inputs("numbers")
    + node("EvenFilter", "numbers", INNER[0])
    + node("PlusOne", INNER[0], "odd")
    + node("PlusOne", "numbers", "plus")
    + node("EvenFilter", "plus", INNER[1])
    + node("PlusOne", INNER[1], "other")
    + node("Merge", "odd other", "out")
)


def observed(text):
    """What comes out, and what the streams within a subgraph hold, over two runs."""
    run = Trial(text, "out", *INNER, subgraphs=[CHAIN])
    for _ in range(2):
        run.start()
        for time in range(6):
            run.add("numbers", time, time)
        run.finish()
    return run.seen


def test_a_graph_with_subgraphs_gives_what_the_flat_graph_gives():
    """Case SG7: streams within a subgraph are observed by the name that expansion gives them."""
    seen = observed(WITH_SUBGRAPHS)
    assert seen == observed(FLAT)
    assert seen[INNER[0]] == [(0, 0), (2, 2), (4, 4)] * 2
    assert seen["out"][:6] == [
        ("0: 1 empty", 0),
        ("1: empty 3", 1),
        ("2: 3 empty", 2),
        ("3: empty 5", 3),
        ("4: 5 empty", 4),
        ("5: empty 7", 5),
    ]


@trial("Says")
class Says(Calculator):
    """Its optional WORD beside each number."""

    inputs = {"NUMBER": int}
    outputs = {"TEXT": str}
    input_side_packets = {"WORD": optional(str)}
    light = True

    def process(self, cc):
        words = cc.input_side_packets
        word = words["WORD"].value if "WORD" in words else "nothing"
        cc.outputs["TEXT"].add(f"{word}/{cc.inputs['NUMBER'].value}")


SPEAKER = (
    'type: "Speaker" package: "trial" input_side_packet: "WORD:word"\n'
    'input_stream: "NUMBER:number" output_stream: "TEXT:text"\n'
    + node("Says", "NUMBER:number", "TEXT:text", 'input_side_packet: "WORD:word"')
)


def speaker(port):
    return node("Speaker", "NUMBER:number", "TEXT:text", port and f'input_side_packet: "{port}"')


@pytest.mark.parametrize(
    ("port", "given", "word"),
    [
        ("WORD:side_in", {"side_in": "side_in"}, "side_in"),
        ("WORD:side_in", {}, "nothing"),
        ("", {}, "nothing"),
    ],
    ids=["given", "not given", "not connected"],
)
def test_an_optional_side_packet_of_a_subgraph(port, given, word):
    """Case GV3."""
    run = Trial(inputs("number") + speaker(port), "text", subgraphs=[SPEAKER])
    run.start(**given)
    run.add("number", 33, 1)
    run.finish()
    assert run.seen["text"] == [(f"{word}/33", 1)]


@pytest.mark.parametrize(("given", "word"), [({"word": "side_in"}, "side_in"), ({}, "default")])
def test_an_optional_side_packet_with_a_default(given, word):
    """Case GV3."""
    default = node(
        "DefaultSidePacketCalculator",
        "",
        "",
        'input_side_packet: "OPTIONAL_VALUE:word" input_side_packet: "DEFAULT_VALUE:default"'
        ' output_side_packet: "VALUE:chosen"',
    )
    run = Trial(inputs("number") + default + speaker("WORD:chosen"), "text", subgraphs=[SPEAKER])
    run.start(default="default", **given)
    run.add("number", 2, 1)
    run.finish()
    assert run.values("text") == [f"{word}/2"]


def test_an_optional_stream_of_a_subgraph_that_is_not_connected_or_ends_early():
    """Case GV3."""
    both = (
        'type: "Both" package: "trial"\n'
        'input_stream: "A:a" input_stream: "B:b" output_stream: "OUT:out"\n'
        + node("Merge", "a b", "out")
    )
    text = inputs("in") + inputs("early") + node("Both", "A:in B:early", "OUT:out")
    run = Trial(text, "out", subgraphs=[both]).start()
    run.add("early", "x", 0)
    run.graph.close_input_stream("early")
    for time in range(2):
        run.add("in", time, time)
        run.idle()
    assert run.values("out") == ["0: 0 x", "1: 1 empty"]
    run.finish()
    run = Trial(inputs("in") + node("Both", "A:in", "OUT:out"), "out", subgraphs=[both]).start()
    run.add("in", 7, 0)
    run.finish()
    assert run.values("out") == ["0: 7"]


@trial("AsManyAsTheServiceSays")
class AsManyAsTheServiceSays(Calculator):
    """PlusOne, as often as the service "depth" says."""

    @classmethod
    def expand(cls, context):
        depth = context.services["depth"]
        names = ["start", *(f"s{step}" for step in range(depth))]
        chain = "".join(node("PlusOne", *pair) for pair in itertools.pairwise(names))
        return f'input_stream: "start" output_stream: "{names[-1]}" package: "trial" {chain}'


@pytest.mark.parametrize("depth", [1, 3])
def test_a_class_that_builds_a_graph_sees_the_services(depth):
    """Rule A16."""
    text = inputs("in") + node("AsManyAsTheServiceSays", "in", "out")
    run = Trial(text, "out", services={"depth": depth}).start()
    run.add("in", 10, 0)
    run.finish()
    assert run.values("out") == [10 + depth]


@trial("GraphInside")
class GraphInside(Calculator):
    """Runs a graph of its own on each packet."""

    inputs = {"": object}
    outputs = {"": object}

    def process(self, cc):
        text = inputs("in") + node("ReadsService", "in", "out")
        with Trial(text, "out", services=cc.services).start().graph as graph:
            graph.add_packet_to_input_stream("in", cc.inputs[0])
            graph.close_all_packet_sources()
            graph.wait_until_done()
        cc.outputs[0].add("done")


@trial("ReadsService")
class ReadsService(Calculator):
    inputs = {"": list}
    outputs = {"": object}
    light = True

    @classmethod
    def contract(cls, contract):
        contract.use_service("word")

    def process(self, cc):
        cc.inputs[0].value.append(cc.service("word"))


def test_a_graph_that_a_calculator_makes_may_have_its_services():
    """Rule A16."""
    read = []
    run = Trial(
        inputs("in") + node("GraphInside", "in", "out"), "out", services={"word": "hello"}
    ).start()
    run.add("in", read, 0)
    run.finish()
    assert read == ["hello"]
    assert run.values("out") == ["done"]
