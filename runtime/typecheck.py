"""One type for each stream and side packet, agreed between who writes and who reads it.

A port is a type, one of several, `Any` ("some single type I do not care about") or the same as another
port. Ports that must agree are put into one group; along the edges between groups types then flow
forward (what is written) and, where the writer does not say, backward (what is expected).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from calcgraph.runtime.contract import Collection, PortSpec
from calcgraph.runtime.errors import Code, Location
from calcgraph.runtime.node_contract import Draft
from calcgraph.runtime.packet_types import ANY, PacketType
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.wiring import Edge, Wiring


@dataclass(frozen=True, slots=True)
class _End:
    """One end of an edge: who says what of its type."""

    type: PacketType
    node: str
    location: Location


@dataclass(eq=False)
class _Group:
    """Ports and edges that share one type that nobody has fixed so far."""

    written: list[_End] = field(default_factory=list)
    read: list[_End] = field(default_factory=list)


def agree_on_types(
    drafts: Sequence[Draft], wiring: Wiring, problems: Problems
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What packets are checked against, for each stream and each side packet: for isinstance, or None."""
    streams = _Checker(drafts, "inputs", "outputs", problems).check(wiring.streams)
    sides = _Checker(drafts, "input_side_packets", "output_side_packets", problems)
    return streams, sides.check(wiring.side_packets)


class _Checker:
    def __init__(
        self,
        drafts: Sequence[Draft],
        inputs: Collection,
        outputs: Collection,
        problems: Problems,
    ) -> None:
        self._drafts = drafts
        self._inputs = inputs
        self._outputs = outputs
        self._problems = problems
        self._parents: dict[object, object] = {}

    def check(self, edges: Mapping[str, Edge]) -> dict[str, Any]:
        """An edge is itself a member of the groups: an application's stream has no port that writes it."""
        for name, edge in edges.items():
            for spec in self._open_ports(edge):
                self._join(("edge", name), _root(spec))
        groups: dict[object, _Group] = {}
        for name, edge in edges.items():
            group = groups.setdefault(self._find(("edge", name)), _Group())
            group.written += [end for end in self._ends(edge, True) if not end.type.is_any]
            group.read += [end for end in self._ends(edge, False) if not end.type.is_any]
        for group in groups.values():
            self._report(group)
        return {
            name: self._type_of(edge, groups[self._find(("edge", name))])
            for name, edge in edges.items()
        }

    def _open_ports(self, edge: Edge) -> Iterator[PortSpec]:
        for spec in [*self._writers(edge), *self._readers(edge)]:
            if _root(spec).type == ANY:
                yield spec

    def _writers(self, edge: Edge) -> list[PortSpec]:
        return [] if edge.producer is None else self._spec(edge.producer, self._outputs)

    def _readers(self, edge: Edge) -> list[PortSpec]:
        return [spec for end in edge.consumers for spec in self._spec(end, self._inputs)]

    def _spec(self, end: tuple[int, int], collection: Collection) -> list[PortSpec]:
        contract = self._drafts[end[0]].contract
        return [] if contract is None else [contract[collection].connected[end[1]]]

    def _ends(self, edge: Edge, written: bool) -> Iterator[_End]:
        specs = self._writers(edge) if written else self._readers(edge)
        places = ([edge.producer] if edge.producer else []) if written else edge.consumers
        known = [place for place in places if self._drafts[place[0]].contract is not None]
        for spec, (place, _) in zip(specs, known, strict=True):
            assert spec.port is not None
            yield _End(_root(spec).type or ANY, self._drafts[place].name, spec.port.location)

    def _report(self, group: _Group) -> None:
        for reader in group.read:
            for writer in group.written:
                if not writer.type.may_feed(reader.type):
                    self._mismatch(reader, writer)
        # Nobody says what the application sends: its readers must at least agree.
        if not group.written:
            self._report_pairs(group.read, _can_be_one, "expects")
        self._report_pairs(group.written, _one_holds_the_other, "writes")

    def _report_pairs(
        self, ends: Sequence[_End], agree: Callable[[PacketType, PacketType], bool], verb: str
    ) -> None:
        for place, later in enumerate(ends):
            for earlier in ends[:place]:
                if not agree(earlier.type, later.type):
                    self._disagreement(earlier, later, verb)
                    break

    def _mismatch(self, reader: _End, writer: _End) -> None:
        kind = "stream" if self._inputs == "inputs" else "side packet"
        self._problems.add(
            reader.location,
            f'Input {kind} of calculator "{reader.node}" expects packets of type "{reader.type}" but '
            f'the connected output {kind} will contain packets of type "{writer.type}" '
            f"(from '{writer.node}', {writer.location})",
            Code.UNKNOWN,
        )

    def _disagreement(self, earlier: _End, later: _End, verb: str) -> None:
        self._problems.add(
            later.location,
            f"node '{later.node}' {verb} packets of type \"{later.type}\", but node "
            f"'{earlier.node}' ({earlier.location}) {verb} packets of type \"{earlier.type}\", and the "
            "nodes between them ask for one type",
            Code.UNKNOWN,
        )

    def _type_of(self, edge: Edge, group: _Group) -> Any:
        """The writer's word, else what is written into its group, else the narrowest that readers take."""
        own = [end.type for end in self._ends(edge, True) if not end.type.is_any]
        if own:
            return _for_isinstance(own[0])
        if group.written:
            return _for_isinstance(_widest([end.type for end in group.written]))
        return _for_isinstance(reduce(PacketType.meet, [end.type for end in group.read], ANY))

    def _find(self, member: object) -> object:
        """The member that stands for the whole group; the way there gets shorter each time."""
        path = []
        while (parent := self._parents.get(member)) is not None:
            path.append(member)
            member = parent
        self._parents.update(dict.fromkeys(path, member))
        return member

    def _join(self, one: object, other: object) -> None:
        one, other = self._find(one), self._find(other)
        if one != other:
            self._parents[one] = other


def _root(spec: PortSpec) -> PortSpec:
    seen = {id(spec)}
    while spec.same is not None and id(spec.same) not in seen:
        spec = spec.same
        seen.add(id(spec))
    return spec


def _can_be_one(one: PacketType, other: PacketType) -> bool:
    return one == other or not one.meet(other).is_none


def _one_holds_the_other(one: PacketType, other: PacketType) -> bool:
    return one.may_feed(other) or other.may_feed(one)


def _widest(types: Sequence[PacketType]) -> PacketType:
    return next((wide for wide in types if all(each.may_feed(wide) for each in types)), ANY)


def _for_isinstance(type_: PacketType) -> Any:
    kinds = type_.kinds
    return kinds[0] if kinds is not None and len(kinds) == 1 else kinds
