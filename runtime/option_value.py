"""`option_value: "field:graph/field"`: a node's option copied from the options of its graph.

The value comes from the graph's own options, over which those of the node that stands for the graph
are merged. Both sides are paths: field names with '/' between, a number for an element of a repeated
field, `Ext::pkg.Type` first to say which options are meant; a leading OPTIONS or options says nothing
(mediapipe/framework/tool/options_util.cc, options_syntax_util.cc).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from calcgraph.runtime.binding import find_type
from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.graph_node import GraphNode, NodeConfig
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.options import OptionBlock, OptionSet, blocks_of, override
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.registry import Registry

_SINGLE_COLON: Final = re.compile(r"(?<!:):(?!:)")
_EXTENSION: Final = "Ext::"


@dataclass(frozen=True, slots=True)
class _Path:
    """Which options, and which field in them: (name, index) pairs."""

    type_name: str
    """"" for the only options there are."""
    fields: tuple[tuple[str, int], ...]

    @classmethod
    def parse(cls, text: str) -> _Path:
        parts = [part for part in text.split("/") if part]
        if parts[:1] in (["OPTIONS"], ["options"]):
            del parts[0]
        type_name = ""
        if parts and parts[0].startswith(_EXTENSION):
            type_name = parts.pop(0).removeprefix(_EXTENSION)
        fields: list[tuple[str, int]] = []
        for part in parts:
            if part.isdigit():
                if not fields:
                    raise _wrong(f"'{text}' starts with an index, expected the name of a field")
                fields[-1] = (fields[-1][0], int(part))
            else:
                fields.append((part, 0))
        return cls(type_name, tuple(fields))


def apply_option_values(
    graph: GraphConfig,
    nodes: Sequence[GraphNode],
    caller: GraphNode | None,
    registry: Registry,
    problems: Problems,
) -> list[GraphNode]:
    """The nodes with their option values filled in. `caller` is the node that stands for the graph."""
    return [
        _filled(graph, node, caller, registry, problems) if node.proto.option_value else node
        for node in nodes
    ]


def _filled(
    graph: GraphConfig,
    node: GraphNode,
    caller: GraphNode | None,
    registry: Registry,
    problems: Problems,
) -> GraphNode:
    proto = NodeConfig()
    proto.CopyFrom(node.proto)
    del proto.option_value[:]
    for index, text in enumerate(node.proto.option_value):
        at = node.place("option_value", index)
        try:
            _copy_one(text, graph, proto, node, caller, registry, problems)
        except StatusError as error:
            problems.add(at, f"option_value: {error.message}", error.code)
    return replace(node, proto=proto)


def _copy_one(
    text: str,
    graph: GraphConfig,
    proto: NodeConfig,
    node: GraphNode,
    caller: GraphNode | None,
    registry: Registry,
    problems: Problems,
) -> None:
    parts = _SINGLE_COLON.split(text)
    if len(parts) != 2:
        raise _wrong(f"found '{text}', expected \"node/field:graph/field\"")
    target, origin = _Path.parse(parts[0]), _Path.parse(parts[1])
    source = _graph_options(graph, caller, origin.type_name, registry, problems)
    if source is None:
        return
    block = _pick(OptionSet.of_node(proto, node.location).all, target.type_name)
    if block is None:
        wanted = target.type_name or "any type"
        raise _wrong(
            f"node '{node.raw_name}' has no options of {wanted} to copy into; give it empty ones",
            Code.NOT_FOUND,
        )
    options = _decode(block, registry, problems, node)
    if options is None:
        return
    value = _get(source, origin.fields)
    if value is not None:
        _set(options, target.fields, value)
    override(proto, options, block.location)


def _graph_options(
    graph: GraphConfig,
    caller: GraphNode | None,
    type_name: str,
    registry: Registry,
    problems: Problems,
) -> Message | None:
    """The graph's options with the caller's merged over them; None when neither has any."""
    own = _pick(_graph_blocks(graph), type_name)
    wanted = type_name or (own.type_name if own else "")
    given = OptionSet.of_node(caller.proto, caller.location).all if caller else []
    over = _pick(given, wanted)
    merged: Message | None = None
    for block in (own, over):
        if block is None:
            continue
        message = _decode(block, registry, problems, None)
        if message is None or merged is None:
            merged = message
        else:
            merged.MergeFrom(message)
    return merged


def graph_option_types(graph: GraphConfig) -> list[str]:
    """The types of options that a graph declares for itself."""
    return [block.type_name for block in _graph_blocks(graph)]


def _graph_blocks(graph: GraphConfig) -> list[OptionBlock]:
    blocks: list[OptionBlock] = []
    if graph.proto.HasField("options"):
        blocks += blocks_of(graph.proto.options, graph.location("options"))
    for index, each in enumerate(graph.proto.graph_options):
        blocks += blocks_of(each, graph.location("graph_options", index))
    return blocks


def check_graph_options(graph: GraphConfig, problems: Problems) -> None:
    """A graph's own options are read even if no node copies from them, where their type is known."""
    for block in _graph_blocks(graph):
        descriptor = find_type(block.type_name)
        if descriptor is not None:
            block.decode(GetMessageClass(descriptor), problems)


def _pick(blocks: Sequence[OptionBlock], type_name: str) -> OptionBlock | None:
    return next((block for block in blocks if type_name in ("", block.type_name)), None)


def _decode(
    block: OptionBlock, registry: Registry, problems: Problems, node: GraphNode | None
) -> Message | None:
    """The message, of the class its calculator declares or that a descriptor pool knows."""
    kind = _declared(node, block, registry) if node is not None else None
    if kind is None:
        descriptor = find_type(block.type_name)
        if descriptor is None:
            if node is None or registry.find(node.proto.calculator, node.package):
                problems.add(
                    block.location,
                    f"{block.type_name} is an options type that nothing here defines",
                )
            return None
        kind = GetMessageClass(descriptor)
    return block.decode(kind, problems)


def _declared(node: GraphNode, block: OptionBlock, registry: Registry) -> type[Message] | None:
    try:
        entry = registry.find(node.proto.calculator, node.package)
        found = entry.load() if entry else None
    except StatusError:
        return None  # reported when the node itself is looked up
    kind = getattr(found, "options", None)
    return kind if kind is not None and block.holds(kind) else None


def _get(message: Message, path: Sequence[tuple[str, int]]) -> Any:
    """The value at a path; None where nothing is set."""
    value: Any = message
    for name, index in path:
        descriptor = _field(value, name)
        held = getattr(value, name)
        if descriptor.is_repeated:
            if not held:
                return None
            if index >= len(held):
                raise _wrong(f"'{name}' has {len(held)} values, expected one with index {index}")
            value = held[index]
        elif _is_set(value, descriptor):
            value = held
        else:
            return None
    return value


def _set(message: Message, path: Sequence[tuple[str, int]], value: Any) -> None:
    holder: Any = message
    for name, index in path[:-1]:
        descriptor = _field(holder, name)
        held = getattr(holder, name)
        holder = _element(held, index, name) if descriptor.is_repeated else held
    if not path:
        _merge(holder, value)
        return
    name, index = path[-1]
    descriptor = _field(holder, name)
    held = getattr(holder, name)
    try:
        if descriptor.message_type is not None:
            _merge(_element(held, index, name) if descriptor.is_repeated else held, value)
        elif not descriptor.is_repeated:
            setattr(holder, name, value)
        elif index < len(held):
            held[index] = value
        elif index == len(held):
            held.append(value)
        else:
            raise _wrong(f"Option field index out of range: {index}", Code.OUT_OF_RANGE)
    except (TypeError, ValueError) as error:
        if isinstance(error, StatusError):
            raise
        raise _wrong(f"'{name}' cannot hold {value!r}: {error}") from None


def _element(held: Any, index: int, name: str) -> Any:
    if index > len(held):
        raise _wrong(f"Option field index out of range: {index} of '{name}'", Code.OUT_OF_RANGE)
    return held[index] if index < len(held) else held.add()


def _merge(message: Message, value: Any) -> None:
    if not isinstance(value, Message):
        raise _wrong(f"found {value!r}, expected a {message.DESCRIPTOR.full_name}")
    if value.DESCRIPTOR.full_name != message.DESCRIPTOR.full_name:
        raise _wrong(
            f"found a {value.DESCRIPTOR.full_name}, expected a {message.DESCRIPTOR.full_name}"
        )
    message.MergeFromString(value.SerializePartialToString())


def _field(message: Any, name: str) -> Any:
    if not isinstance(message, Message):
        raise _wrong(f"there is no field '{name}' in {message!r}")
    descriptor = message.DESCRIPTOR.fields_by_name.get(name)
    if descriptor is None:
        known = [field.name for field in message.DESCRIPTOR.fields]
        full_name = message.DESCRIPTOR.full_name
        raise _wrong(
            f"{full_name} has no field '{name}'{did_you_mean(name, known)}", Code.NOT_FOUND
        )
    return descriptor


def _is_set(message: Message, descriptor: Any) -> bool:
    if descriptor.has_presence:
        return message.HasField(descriptor.name)
    return bool(getattr(message, descriptor.name))


def _wrong(text: str, code: Code = Code.INVALID_ARGUMENT) -> StatusError:
    return status_error(code, text)
