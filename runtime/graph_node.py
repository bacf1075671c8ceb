"""One node between reading and planning: its config, and where in which file it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from calcgraph.proto import graph_pb2
from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import Location

NodeConfig = graph_pb2.CalculatorGraphConfig.Node

PORT_FIELDS: Final = ("input_stream", "output_stream", "input_side_packet", "output_side_packet")
STREAM_FIELDS: Final = frozenset({"input_stream", "output_stream"})


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A subgraph that a node came out of."""

    name: str
    """Of the node that stood for it."""
    calculator: str


@dataclass(frozen=True)
class GraphNode:
    """A node of the config, or one that a subgraph brought in."""

    proto: NodeConfig
    location: Location
    places: Mapping[tuple[str, int], Location] = field(default_factory=dict)
    """(field, index) to where it stands; index 0 for a field that is not repeated."""
    package: str = ""
    """The namespace in which its calculator is looked up."""
    inside: tuple[Enclosing, ...] = ()
    """The subgraphs it came out of, outermost first."""

    @property
    def raw_name(self) -> str:
        return self.proto.name or self.proto.calculator

    def place(self, name: str, index: int = 0) -> Location:
        return self.places.get((name, index), self.location)

    def places_of(self, name: str) -> list[Location]:
        return [self.place(name, i) for i in range(len(getattr(self.proto, name)))]

    def renamed(self, name: str, rename: Callable[[str, str], str | None]) -> GraphNode:
        """A copy called `name`; `rename(field, stream)` is the new name of each port, None drops it."""
        proto = NodeConfig()
        proto.CopyFrom(self.proto)
        proto.name = name
        places = {key: place for key, place in self.places.items() if key[0] not in PORT_FIELDS}
        for port_field in PORT_FIELDS:
            kept: list[str] = []
            for index, text in enumerate(getattr(self.proto, port_field)):
                tag, colon, stream = text.rpartition(":")
                new = rename(port_field, stream)
                if new is not None:
                    places[port_field, len(kept)] = self.place(port_field, index)
                    kept.append(f"{tag}{colon}{new}")
            del getattr(proto, port_field)[:]
            getattr(proto, port_field).extend(kept)
        return replace(self, proto=proto, places=places)


def nodes_of(
    config: GraphConfig,
    inside: tuple[Enclosing, ...] = (),
    package: str = "",
    at: Location | None = None,
) -> list[GraphNode]:
    """The nodes of one config. `at` is the place of a config that was not read from a file."""
    places = _places_by_node(config)
    return [
        GraphNode(
            proto,
            config.location("node", number) if config.locations or at is None else at,
            places.get(number, {}),
            config.proto.package or package,
            inside,
        )
        for number, proto in enumerate(config.proto.node)
    ]


def _places_by_node(config: GraphConfig) -> dict[int, dict[tuple[str, int], Location]]:
    """Of each node's own fields; what lies deeper is placed with the field that holds it."""
    places: dict[int, dict[tuple[str, int], Location]] = {}
    for path, location in config.locations.items():
        match path:
            case ("node", int(number), str(name)):
                places.setdefault(number, {})[name, 0] = location
            case ("node", int(number), str(name), int(index)):
                places.setdefault(number, {})[name, index] = location
    return places


def canonical_names(nodes: Sequence[GraphNode]) -> list[str]:
    """Each node's name or calculator type, with `_1`, `_2` ... where several share it."""
    return numbered(node.raw_name for node in nodes)


def numbered(names: Iterable[str]) -> list[str]:
    """`a`, `b`, `a` becomes `a_1`, `b`, `a_2`."""
    names = list(names)
    total = Counter(names)
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if total[name] == 1 else f"{name}_{seen[name]}")
    return result
