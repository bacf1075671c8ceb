"""What a calculator expects of its node (rules C1, C2, C3, V1, case GV2)."""

from typing import Any, NewType

import pytest

from calcgraph.proto.calculators_pb2 import PoolingOptions
from calcgraph.proto.handlers_pb2 import FixedSizeInputStreamHandlerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.contract import optional, parse_port_key, same_as
from calcgraph.runtime.errors import Code, GraphError, StatusError, status_error
from calcgraph.runtime.packet_types import packet_type
from calcgraph.runtime.registry import Registry
from calcgraph.runtime.validation import plan_graph

UserId = NewType("UserId", int)


class Adder(Calculator):
    inputs = {"A": int, "B": int}
    outputs = {"SUM": int}
    input_side_packets = {"OFFSET": optional(int)}


class Loose(Calculator):
    inputs = {"X:*": Any, "EXTRA": optional(str)}
    outputs = {"X:*": same_as("X:*"), "": optional(same_as("X"))}


class Dynamic(Calculator):
    options = PoolingOptions
    timestamp_offset = None

    @classmethod
    def contract(cls, contract):
        if contract.options.pooling == PoolingOptions.MEAN:
            raise status_error(Code.INVALID_ARGUMENT, "MEAN is not for me")
        for key in contract.inputs:
            contract.outputs[key].set_same_as(contract.inputs[key].set_any())
        contract.input_side_packets["MAYBE"].set(str).optional()
        contract.set_input_stream_handler(
            "FixedSizeInputStreamHandler", FixedSizeInputStreamHandlerOptions(trigger_queue_size=9)
        )
        contract.set_timestamp_offset(3)
        contract.set_process_timestamp_bounds()
        contract.use_service("files").optional()


class Broken(Calculator):
    @classmethod
    def contract(cls, contract):
        raise ZeroDivisionError("oops")


class Malformed(Calculator):
    inputs = {"lower": int}


class Unheld(Calculator):
    inputs = {"IN": optional("text")}


REGISTRY = Registry()
for calculator in (Adder, Loose, Dynamic, Broken, Malformed, Unheld):
    REGISTRY.register(calculator.__name__, calculator)


def plan(*lines):
    return plan_graph("\n".join(lines), registry=REGISTRY)


def node(calculator, *ports, extra=""):
    """A graph of one node whose inputs the application feeds."""
    names = dict.fromkeys(
        port.split()[1].rpartition(":")[2] for port in ports if port.startswith("in ")
    )
    fields = {"in": "input_stream", "out": "output_stream", "side": "input_side_packet"}
    text = "".join(f' {fields[port.split()[0]]}: "{port.split()[1]}"\n' for port in ports)
    inputs = "".join(f'input_stream: "{name}" ' for name in names)
    return f'{inputs}\nnode {{ name: "n" calculator: "{calculator}"\n{text} {extra} }}'


def problems(text):
    with pytest.raises(GraphError) as caught:
        plan(text)
    return caught.value


def test_c1_a_node_that_fits_has_its_types():
    graph = plan(node("Adder", "in A:a", "in B:b", "out SUM:s"))
    assert {name: stream.type for name, stream in graph.streams.items()} == {
        "a": int,
        "b": int,
        "s": int,
    }


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (
            ["in A:a", "in B:b", "in C:c", "out SUM:s"],
            'For input streams of n ValidatePacketTypeSet failed: Tag "C" index 0 was not expected; '
            "it takes A, B",
        ),
        (
            ["in A:a", "in A:1:c", "in B:b", "out SUM:s"],
            'Tag "A" index 1 was not expected',
        ),
        (
            ["in A:a", "out SUM:s"],
            'For input streams of n ValidatePacketTypeSet failed: Failed to get tag "B" index 0: '
            'expected input_stream: "B:name"',
        ),
        (
            ["in A:a", "in B:b"],
            'For output streams of n ValidatePacketTypeSet failed: Failed to get tag "SUM" index 0',
        ),
        (
            ["in A:a", "in B:b", "out SUMM:s", "out SUM:t"],
            'For output streams of n ValidatePacketTypeSet failed: Tag "SUMM" index 0 was not expected; '
            "it takes SUM; did you mean 'SUM'?",
        ),
        (
            ["in A:a", "in B:b", "out SUM:s", "side OFSET:o"],
            'For input side packets of n ValidatePacketTypeSet failed: Tag "OFSET" index 0 '
            "was not expected; it takes OFFSET; did you mean 'OFFSET'?",
        ),
        (
            ["in a", "in A:b", "in B:c", "out SUM:s"],
            'Tag "" index 0 was not expected',
        ),
    ],
)
def test_v1_gv2_ports_that_do_not_fit_are_named(ports, expected):
    error = problems(node("Adder", *ports))
    assert expected in str(error)
    assert "Adder: " in str(error)
    assert error.code is Code.INVALID_ARGUMENT


def test_v1_an_unexpected_port_is_reported_at_its_own_line():
    error = problems(node("Adder", "in A:a", "in B:b", "out SUM:s", "side X:x"))
    assert [problem.location.line for problem in error.problems] == [6]


def test_v1_all_nodes_are_checked_before_failing():
    error = problems('node { calculator: "Adder" }\nnode { calculator: "Adder" }')
    assert {problem.location.line for problem in error.problems} == {1, 2}
    assert len(error.problems) == 6


@pytest.mark.parametrize(
    "ports",
    [
        [],
        ["in X:x", "out X:y"],
        ["in X:0:x", "in X:1:y", "out X:0:a", "out X:1:b"],
        ["in X:x", "out X:y", "in EXTRA:e", "out z"],
    ],
    ids=["none", "one", "two", "optional ones"],
)
def test_c1_a_star_takes_any_number_of_indexes_and_optional_ones_may_be_left_out(ports):
    plan(node("Loose", *ports))


def test_c1_the_contract_may_depend_on_tags_and_options():
    graph = plan(node("Dynamic", "in V:v", "out V:w", "side MAYBE:m"))
    contract = graph.nodes[0].contract
    assert contract.timestamp_offset == 3
    assert contract.process_timestamp_bounds
    assert contract.services["files"].is_optional
    assert not graph.side_packets["m"].required
    assert "Failed to get tag" in str(problems(node("Dynamic", "in V:v")))


def test_c2_a_contract_may_choose_the_handler_and_the_graph_file_beats_it():
    ports = ["in V:v", "out V:w"]
    (own,) = plan(node("Dynamic", *ports)).nodes
    assert own.input_stream_handler == "FixedSizeInputStreamHandler"
    assert own.handler_options.trigger_queue_size == 9
    chosen = 'input_stream_handler { input_stream_handler: "ImmediateInputStreamHandler" }'
    (beaten,) = plan(node("Dynamic", *ports, extra=chosen)).nodes
    assert (beaten.input_stream_handler, beaten.handler_options) == (
        "ImmediateInputStreamHandler",
        None,
    )
    (by_graph,) = plan(chosen, node("Dynamic", *ports)).nodes
    assert by_graph.input_stream_handler == "ImmediateInputStreamHandler"
    (empty,) = plan(node("Dynamic", *ports, extra="input_stream_handler {}")).nodes
    assert empty.input_stream_handler == "FixedSizeInputStreamHandler"


def test_c3_the_offset_is_0_unless_the_class_says_otherwise():
    assert plan(node("Loose")).nodes[0].contract.timestamp_offset == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (node("Broken"), "Broken: contract() of node 'n' failed: ZeroDivisionError: oops"),
        (
            node(
                "Dynamic", extra="node_options { [x/calcgraph.PoolingOptions] { pooling: MEAN } }"
            ),
            "Dynamic: contract() of node 'n' failed: MEAN is not for me",
        ),
        (
            node("Malformed"),
            "Malformed: contract() of node 'n' failed: 'lower': a tag is upper-case",
        ),
        (node("Unheld", "in IN:a"), "found 'text', expected a class, a union, Any"),
    ],
)
def test_c5_whatever_a_contract_raises_is_an_error_of_the_graph(text, expected):
    assert expected in str(problems(text))


def test_a_contract_does_not_complain_of_options_that_could_not_be_read():
    text = node(
        "Dynamic", extra="node_options { [x/calcgraph.PoolingOptions] { pooling: 2 poling: 1 } }"
    )
    (problem,) = problems(text).problems
    assert "has no field 'poling'" in problem.message


@pytest.mark.parametrize(
    ("declared", "kinds"),
    [
        (int, (int,)),
        (int | str, (int, str)),
        (int | None, (int, type(None))),
        (list[str], (list,)),
        (list[str] | int, (list, int)),
        (UserId, (int,)),
        (Any, None),
        (object, None),
        (int | object, None),
        (None, ()),
    ],
    ids=str,
)
def test_a_port_type_is_anything_isinstance_can_check(declared, kinds):
    assert packet_type(declared).kinds == kinds


@pytest.mark.parametrize("declared", ["int", 3, [int]], ids=str)
def test_what_isinstance_cannot_check_is_no_port_type(declared):
    with pytest.raises(StatusError, match="expected a class"):
        packet_type(declared)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("A", ("A", 0)),
        ("A:2", ("A", 2)),
        ("A:*", ("A", None)),
        ("", ("", 0)),
        (":1", ("", 1)),
        (":*", ("", None)),
    ],
)
def test_a_port_key_is_a_tag_an_index_or_any_number_of_them(key, expected):
    assert parse_port_key(key) == expected
