"""What a calculator expects of its node: which ports it has, and what may travel through each.

Most contracts are data (`Calculator.inputs` and its like). What depends on the node's tags or options
is said in `Calculator.contract`, with MediaPipe's verbs:

    @classmethod
    def contract(cls, contract):
        for key in contract.inputs:
            contract.outputs[key].set_same_as(contract.inputs[key])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeVar

from google.protobuf.message import Message

from calcgraph.runtime.packet_types import ANY, NONE, PacketType, packet_type
from calcgraph.runtime.plan import Port
from calcgraph.runtime.tags import Key, TagMap, parse_index, tag_index_of, validate_tag

PortType: TypeAlias = Any
"""A Python type, a union of types, `Any`, `optional(...)` or `same_as(...)`."""

M = TypeVar("M", bound=Message)

Collection = Literal["inputs", "outputs", "input_side_packets", "output_side_packets"]
COLLECTIONS: Final[tuple[Collection, ...]] = (
    "inputs",
    "outputs",
    "input_side_packets",
    "output_side_packets",
)
SAID: Final[Mapping[Collection, str]] = {
    "inputs": "input streams",
    "outputs": "output streams",
    "input_side_packets": "input side packets",
    "output_side_packets": "output side packets",
}


@dataclass(frozen=True, slots=True)
class Optional:
    """A port that need not be connected."""

    type: PortType


@dataclass(frozen=True, slots=True)
class SameAs:
    """A port of the type of an input: "TAG", "TAG:1", or "TAG:*" for the input of the same index."""

    key: Key


def optional(type_: PortType) -> Optional:
    """The port need not be connected; if it is, `type_` holds."""
    return Optional(type_)


def same_as(key: Key) -> SameAs:
    """Whatever travels through the input `key` (for side packets: the input side packet)."""
    return SameAs(key)


class PortSpec:
    """One port of a node, while its contract is being made and after."""

    def __init__(self, tag: str, index: int, port: Port | None) -> None:
        self.tag = tag
        self.index = index
        self.port = port
        """Where it is connected; None when the node does not have it."""
        self.type: PacketType | None = None
        """None until the contract says something."""
        self.same: PortSpec | None = None
        self.is_optional = False

    def set(self, type_: PortType) -> PortSpec:
        """A type, a union, `optional(...)`, or None for a port that carries no packets."""
        if isinstance(type_, Optional):
            return self.set(type_.type).optional()
        self.type, self.same = packet_type(type_), None
        return self

    def set_any(self) -> PortSpec:
        """Some single type that this calculator does not care about."""
        return self.set(ANY)

    def set_none(self) -> PortSpec:
        return self.set(NONE)

    def set_one_of(self, *types: PortType) -> PortSpec:
        kinds = [packet_type(each).kinds or () for each in types]
        return self.set(PacketType(tuple(dict.fromkeys(kind for each in kinds for kind in each))))

    def set_same_as(self, other: PortSpec) -> PortSpec:
        self.type, self.same = ANY, None if other is self else other
        return self

    def optional(self) -> PortSpec:
        self.is_optional = True
        return self

    def __repr__(self) -> str:
        return f"<port {self.tag}:{self.index} {self.type}>"


class PortSpecs:
    """The ports of one collection: `specs["TAG"]`, `specs["TAG", 1]`, `specs[0]` for an untagged one."""

    def __init__(self, tag_map: TagMap) -> None:
        self.tag_map = tag_map
        self._specs = {key: PortSpec(*key, port) for key, port in tag_map.items()}
        self._absent: dict[tuple[str, int], PortSpec] = {}

    def __getitem__(self, key: Key) -> PortSpec:
        """A port the node does not have may be described too: unless optional it is then missing."""
        tag_index = tag_index_of(key)
        found = self._specs.get(tag_index)
        if found is None:
            found = self._absent.setdefault(tag_index, PortSpec(*tag_index, None))
        return found

    def get(self, tag: str, index: int = 0) -> PortSpec:
        return self[tag, index]

    def __contains__(self, key: Key) -> bool:
        return tag_index_of(key) in self._specs

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """(tag, index) of every connected port, in canonical order."""
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def has(self, tag: str, index: int = 0) -> bool:
        return (tag, index) in self._specs

    def tags(self) -> tuple[str, ...]:
        return self.tag_map.tags

    def count(self, tag: str = "") -> int:
        return self.tag_map.count(tag)

    @property
    def connected(self) -> list[PortSpec]:
        """In canonical order, which is port id order."""
        return list(self._specs.values())

    @property
    def absent(self) -> list[PortSpec]:
        """Ports the contract speaks of and the node lacks."""
        return list(self._absent.values())


@dataclass(slots=True)
class ServiceRequest:
    """A graph service that a calculator wants."""

    key: str
    is_optional: bool = False

    def optional(self) -> ServiceRequest:
        self.is_optional = True
        return self


class Contract:
    """One node's contract. Built before the run, only read during it."""

    def __init__(
        self,
        tag_maps: Mapping[Collection, TagMap],
        *,
        node_name: str = "",
        options: Any = None,
    ) -> None:
        self.node_name = node_name
        self.options = options
        self.inputs = PortSpecs(tag_maps["inputs"])
        self.outputs = PortSpecs(tag_maps["outputs"])
        self.input_side_packets = PortSpecs(tag_maps["input_side_packets"])
        self.output_side_packets = PortSpecs(tag_maps["output_side_packets"])
        self.input_stream_handler: str | None = None
        self.handler_options: Message | None = None
        self.timestamp_offset: int | None = None
        self.process_timestamp_bounds = False
        self.services: dict[str, ServiceRequest] = {}

    def __getitem__(self, collection: Collection) -> PortSpecs:
        specs: PortSpecs = getattr(self, collection)
        return specs

    def set_input_stream_handler(self, name: str, options: Message | None = None) -> None:
        """The handler this calculator needs; a handler in the graph file beats it."""
        self.input_stream_handler, self.handler_options = name, options

    def set_timestamp_offset(self, offset: int | None) -> None:
        self.timestamp_offset = offset

    def set_process_timestamp_bounds(self, value: bool = True) -> None:
        self.process_timestamp_bounds = value

    def use_service(self, key: str) -> ServiceRequest:
        """Ask for a graph service; `.optional()` if the calculator can do without."""
        return self.services.setdefault(key, ServiceRequest(key))

    def declare(self, collection: Collection, ports: Mapping[str, PortType]) -> None:
        """The ports of a calculator's class attribute. Raises INVALID_ARGUMENT for a malformed key."""
        specs = self[collection]
        for key, type_ in ports.items():
            tag, index = parse_port_key(key)
            if index is not None:
                self._declare(collection, specs[tag, index], type_)
                continue
            for count in range(specs.count(tag)):
                self._declare(collection, specs[tag, count], type_)

    def _declare(self, collection: Collection, spec: PortSpec, type_: PortType) -> None:
        if isinstance(type_, Optional):
            spec.optional()
            type_ = type_.type
        if not isinstance(type_, SameAs):
            spec.set(type_)
            return
        side = collection in ("input_side_packets", "output_side_packets")
        inputs = self.input_side_packets if side else self.inputs
        if isinstance(type_.key, str):
            tag, index = parse_port_key(type_.key)
            key = (tag, spec.index if index is None else index)
        else:
            key = tag_index_of(type_.key)
        # An input that is not connected has no type to share.
        if key in inputs:
            spec.set_same_as(inputs[key])
        else:
            spec.set_any()


def parse_port_key(key: str) -> tuple[str, int | None]:
    """ "TAG", "TAG:1", "" or ":1"; the index is None for "TAG:*", any number of them."""
    tag, colon, index = key.partition(":")
    if tag:
        validate_tag(tag)
    if index == "*":
        return tag, None
    return tag, parse_index(index) if colon else 0
