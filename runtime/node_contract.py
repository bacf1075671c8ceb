"""From one node of the config to its calculator, ports, options and contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from calcgraph.proto import options_pb2
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.contract import COLLECTIONS, SAID, Collection, Contract, PortSpecs
from calcgraph.runtime.errors import Code, Location, StatusError
from calcgraph.runtime.graph_node import GraphNode
from calcgraph.runtime.handlers import DEFAULT, HANDLERS, check_handler, handler_options
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.options import OptionSet
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.struct_options import STRUCT, StructOptions
from calcgraph.runtime.tags import TagMap, parse_tag_index

FIELD_OF: Final[Mapping[Collection, str]] = {
    "inputs": "input_stream",
    "outputs": "output_stream",
    "input_side_packets": "input_side_packet",
    "output_side_packets": "output_side_packet",
}

Options = Message | StructOptions | None


@dataclass
class Draft:
    """All that is known of a node before it is wired to others."""

    node: GraphNode
    name: str
    """Canonical, so unique in the graph."""
    tag_maps: dict[Collection, TagMap]
    calculator: type[Calculator] | None = None
    """None when nothing by its name is registered: the node is then wired, but its types are not checked."""
    contract: Contract | None = None
    options: Options = None
    back_edges: frozenset[int] = frozenset()
    handler: str = DEFAULT
    handler_options: Message | None = None

    @property
    def location(self) -> Location:
        return self.node.location


def draft_node(
    node: GraphNode,
    name: str,
    calculator: type[Calculator] | None,
    graph_handler: options_pb2.InputStreamHandlerConfig | None,
    problems: Problems,
) -> Draft:
    """Check everything about a node that needs no other node."""
    draft = Draft(node, name, _tag_maps(node, name, problems), calculator)
    draft.back_edges = _back_edges(draft, problems)
    given = OptionSet.of_node(node.proto, node.location)
    given.report_duplicates(problems)
    if calculator is None:
        given.check_known_types(problems)
    else:
        wrong = Problems()
        draft.options = read_options(calculator, given, name, wrong)
        problems.extend(wrong.in_order())
        # With half-read options, what contract() says of them is no news.
        draft.contract = _contract(draft, calculator, Problems() if wrong else problems)
    _choose_handler(draft, graph_handler, problems)
    _check_numbers(draft, problems)
    return draft


def _tag_maps(node: GraphNode, name: str, problems: Problems) -> dict[Collection, TagMap]:
    maps: dict[Collection, TagMap] = {}
    for collection, field in FIELD_OF.items():
        places = node.places_of(field)
        texts = list(getattr(node.proto, field))
        try:
            maps[collection] = TagMap.create(texts, places)
        except StatusError as error:
            at = next(
                (p for t, p in zip(texts, places, strict=True) if f"'{t}'" in error.message), None
            )
            problems.add(
                at or (places[0] if places else node.location),
                f"Unable to initialize TagMaps for node {name!r}, {field}: {error.message}",
                Code.UNKNOWN,
            )
            maps[collection] = TagMap([])
    return maps


def _back_edges(draft: Draft, problems: Problems) -> frozenset[int]:
    inputs = draft.tag_maps["inputs"]
    seen: set[tuple[str, int]] = set()
    found: set[int] = set()
    for place, info in enumerate(draft.node.proto.input_stream_info):
        at = draft.node.place("input_stream_info", place)
        try:
            key = parse_tag_index(info.tag_index)
        except StatusError as error:
            problems.add(at, error.message)
            continue
        quoted = f'Input stream with tag_index "{info.tag_index}"'
        if key not in inputs:
            known = ", ".join(f"{tag}:{index}" for tag, index in inputs) or "none"
            problems.add(
                at,
                f"{quoted} requested in InputStreamInfo but is not an input stream of node "
                f"{draft.name!r}, which has {known}",
            )
        elif key in seen:
            problems.add(at, f"{quoted} has more than one InputStreamInfo.")
        elif info.back_edge:
            found.add(inputs.id(*key))
        seen.add(key)
    return frozenset(found)


def read_options(
    calculator: type[Calculator], given: OptionSet, name: str, problems: Problems
) -> Options:
    """The node's options as its calculator declares them; any others are a problem."""
    kind = calculator.options
    taken = [] if kind is None else [kind.DESCRIPTOR.full_name]
    options: Options = None
    if kind is not None:
        block = given.find(kind)
        if kind.DESCRIPTOR.full_name == STRUCT:
            options = StructOptions()
            if block is not None:
                options = StructOptions.from_struct(block.decode(kind, problems), block.location)
        else:
            options = kind() if block is None else block.decode(kind, problems)
    given.report_unread(problems, f"calculator '{calculator.__name__}' (node {name!r})", taken)
    return options


def _contract(draft: Draft, calculator: type[Calculator], problems: Problems) -> Contract:
    contract = Contract(draft.tag_maps, node_name=draft.name, options=draft.options)
    contract.timestamp_offset = calculator.timestamp_offset
    contract.process_timestamp_bounds = calculator.process_timestamp_bounds
    contract.input_stream_handler = calculator.input_stream_handler
    try:
        for collection in COLLECTIONS:
            contract.declare(collection, getattr(calculator, collection))
        calculator.contract(contract)
    except Exception as error:  # an author's code may raise anything
        code = error.code if isinstance(error, StatusError) else Code.UNKNOWN
        cause = (
            error.message if isinstance(error, StatusError) else f"{type(error).__name__}: {error}"
        )
        problems.add(
            draft.location,
            f"{calculator.__name__}: contract() of node {draft.name!r} failed: {cause}",
            code,
        )
        return contract
    for collection in COLLECTIONS:
        _check_ports(draft, contract[collection], collection, problems)
    return contract


def _check_ports(
    draft: Draft, specs: PortSpecs, collection: Collection, problems: Problems
) -> None:
    assert draft.calculator is not None
    begin = (
        f"{draft.calculator.__name__}: For {SAID[collection]} of {draft.name} "
        "ValidatePacketTypeSet failed: "
    )
    described = [*specs.connected, *specs.absent]
    known = [_label(s.tag, s.index) for s in described if s.type is not None]
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    for spec in specs.connected:
        if spec.type is None:
            assert spec.port is not None
            guess = did_you_mean(spec.tag, [s.tag for s in described if s.type is not None])
            problems.add(
                spec.port.location,
                f'{begin}Tag "{spec.tag}" index {spec.index} was not expected; {takes}{guess}',
            )
    for spec in specs.absent:
        if not spec.is_optional:
            field = FIELD_OF[collection]
            label = (
                f"{spec.tag}:name"
                if spec.tag and not spec.index
                else f"{_label(spec.tag, spec.index)}:name"
            )
            problems.add(
                draft.location,
                f'{begin}Failed to get tag "{spec.tag}" index {spec.index}: '
                f'expected {field}: "{label if spec.tag else "name"}"',
            )


def _label(tag: str, index: int) -> str:
    if not tag:
        return f"an untagged one (index {index})"
    return f"{tag}:{index}" if index else tag


def _choose_handler(
    draft: Draft,
    graph_handler: options_pb2.InputStreamHandlerConfig | None,
    problems: Problems,
) -> None:
    """The node's own handler, else the graph's, else the contract's, else the default one."""
    proto = draft.node.proto
    own = proto.input_stream_handler if proto.HasField("input_stream_handler") else graph_handler
    contract = draft.contract
    at = draft.node.place("input_stream_handler")
    if own is not None and (own.HasField("input_stream_handler") or own.HasField("options")):
        draft.handler = own.input_stream_handler
        draft.handler_options = handler_options(own, at, problems)
    elif contract is not None and contract.input_stream_handler is not None:
        draft.handler, draft.handler_options = (
            contract.input_stream_handler,
            contract.handler_options,
        )
        if draft.handler not in HANDLERS:
            problems.add(
                at,
                f"the contract of node {draft.name!r} asks for the unknown input stream handler "
                f"'{draft.handler}'{did_you_mean(draft.handler, HANDLERS)}",
                Code.NOT_FOUND,
            )
            return
    kind = HANDLERS.get(draft.handler)
    if draft.handler_options is None and kind is not None:
        draft.handler_options = kind()
    check_handler(
        draft.handler_options, draft.tag_maps["inputs"], proto.max_in_flight, at, problems
    )
    if contract is not None:
        contract.input_stream_handler = draft.handler
        contract.handler_options = draft.handler_options


def _check_numbers(draft: Draft, problems: Problems) -> None:
    numbers: dict[str, Any] = {
        name: getattr(draft.node.proto, name)
        for name in ("max_in_flight", "buffer_size_hint", "source_layer")
    }
    for name, value in numbers.items():
        if value < 0:
            problems.add(draft.node.place(name), f"{name}: found {value}, expected 0 or more")
