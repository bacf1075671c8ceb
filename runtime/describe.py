"""What a calculator says of itself: its ports, its options, where it comes from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.contract import COLLECTIONS, Collection, Optional, PortType, SameAs
from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.packet_types import packet_type
from calcgraph.runtime.registry import Entry
from calcgraph.runtime.struct_options import STRUCT


@dataclass(frozen=True, slots=True)
class OptionField:
    """One field of an options message."""

    name: str
    type: str
    default: str
    """"" where there is none."""


@dataclass(frozen=True, slots=True)
class Description:
    """One registered calculator."""

    name: str
    origin: str
    summary: str = ""
    """The first line of its docstring."""
    ports: Mapping[Collection, Mapping[str, str]] = field(default_factory=dict)
    """For each collection, the key of each port and what may travel through it."""
    options_type: str = ""
    """The message type of its options; "" when it takes none."""
    options: tuple[OptionField, ...] = ()
    depends_on_node: bool = False
    """It also declares ports that depend on the node's tags or options."""
    is_subgraph: bool = False
    fault: str = ""
    """Why it cannot be loaded."""


def describe(entry: Entry) -> Description:
    """Load a calculator and describe it; one that cannot be loaded is described by its fault."""
    try:
        found = entry.load()
    except StatusError as error:
        return Description(entry.name, entry.origin, fault=error.message)
    if isinstance(found, GraphConfig):
        return _describe_graph(entry, found)
    options = found.options
    return Description(
        entry.name,
        entry.origin,
        (inspect.getdoc(found) or "").partition("\n")[0] if found.__doc__ else "",
        {each: _ports(getattr(found, each)) for each in COLLECTIONS},
        "" if options is None else str(options.DESCRIPTOR.full_name),
        tuple(_fields(options)),
        depends_on_node=_overrides(found, "contract"),
        is_subgraph=_overrides(found, "expand"),
    )


def _describe_graph(entry: Entry, config: GraphConfig) -> Description:
    texts = {
        "inputs": config.proto.input_stream,
        "outputs": config.proto.output_stream,
        "input_side_packets": config.proto.input_side_packet,
        "output_side_packets": config.proto.output_side_packet,
    }
    return Description(
        entry.name,
        entry.origin,
        f"a graph of {len(config.proto.node)} nodes",
        {each: {text.rpartition(":")[0]: "any" for text in texts[each]} for each in COLLECTIONS},
        is_subgraph=True,
    )


def _ports(declared: Mapping[str, PortType]) -> dict[str, str]:
    return {key: port_text(type_) for key, type_ in declared.items()}


def port_text(type_: PortType) -> str:
    """`int`, `optional str`, `same as IN`, `any`."""
    if isinstance(type_, Optional):
        return f"optional {port_text(type_.type)}"
    if isinstance(type_, SameAs):
        return f"same as {type_.key or 'the first input'}"
    try:
        found = packet_type(type_)
    except StatusError as error:
        return f"wrong: {error.message}"
    if found.kinds is None:
        return "any"
    return " | ".join(kind.__qualname__ for kind in found.kinds) or "nothing"


def _overrides(calculator: type[Calculator], method: str) -> bool:
    return getattr(calculator, method).__func__ is not getattr(Calculator, method).__func__


def _fields(options: type[Message] | None) -> Iterator[OptionField]:
    if options is None or options.DESCRIPTOR.full_name == STRUCT:
        return
    for each in options.DESCRIPTOR.fields:
        yield OptionField(each.name, _type(each), _default(each))


_TYPES = {
    FieldDescriptor.CPPTYPE_INT32: "int32",
    FieldDescriptor.CPPTYPE_INT64: "int64",
    FieldDescriptor.CPPTYPE_UINT32: "uint32",
    FieldDescriptor.CPPTYPE_UINT64: "uint64",
    FieldDescriptor.CPPTYPE_DOUBLE: "double",
    FieldDescriptor.CPPTYPE_FLOAT: "float",
    FieldDescriptor.CPPTYPE_BOOL: "bool",
    FieldDescriptor.CPPTYPE_STRING: "string",
}


def _type(descriptor: Any) -> str:
    if descriptor.enum_type is not None:
        text = " | ".join(descriptor.enum_type.values_by_name)
    elif descriptor.message_type is not None:
        text = str(descriptor.message_type.full_name)
    else:
        text = _TYPES[descriptor.cpp_type]
    if descriptor.is_repeated:
        return f"repeated {text}"
    return f"required {text}" if descriptor.is_required else text


def _default(descriptor: Any) -> str:
    if not descriptor.has_default_value:
        return ""
    if descriptor.enum_type is not None:
        return str(descriptor.enum_type.values_by_number[descriptor.default_value].name)
    if isinstance(descriptor.default_value, bool):
        return str(descriptor.default_value).lower()
    return repr(descriptor.default_value)
