"""Subgraphs: a node that stands for a graph is replaced by that graph's nodes, before validation.

The rules are those of mediapipe/framework/tool/subgraph_expansion.cc: inner names get the prefix
`<node name>__`, the subgraph's interface is matched by tag and index, and what the caller leaves
unconnected disappears from the inner nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import GraphConfig, as_graph_config
from calcgraph.runtime.errors import Code, GraphError, StatusError
from calcgraph.runtime.graph_node import (
    PORT_FIELDS,
    STREAM_FIELDS,
    Enclosing,
    GraphNode,
    NodeConfig,
    canonical_names,
    nodes_of,
)
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.node_contract import Options, read_options
from calcgraph.runtime.option_value import apply_option_values, graph_option_types
from calcgraph.runtime.options import OptionSet
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.registry import Registry
from calcgraph.runtime.tags import TagMap
from calcgraph.runtime.unsupported import refuse_unsupported

MAX_NESTING: Final = 32

_CALCULATORS_ONLY: Final = (
    "source_layer",
    "buffer_size_hint",
    "output_stream_handler",
    "input_stream_info",
)
"""Fields that mean nothing on a node that is a subgraph."""


@dataclass(frozen=True)
class SubgraphContext:
    """What a class subgraph (`Calculator.expand`) may look at."""

    node: NodeConfig
    """The calling node. `node.input_stream` and the like are its `TAG:index:name` strings."""
    name: str
    options: Options
    inputs: TagMap
    outputs: TagMap
    input_side_packets: TagMap
    output_side_packets: TagMap
    services: Mapping[str, Any] = field(default_factory=dict)
    base_path: Path = Path()


def with_subgraphs(
    registry: Registry, subgraphs: Iterable[GraphConfig], problems: Problems
) -> Registry:
    """A registry in which graphs given along hide what is registered under their `type:`."""
    local = Registry(registry)
    for config in subgraphs:
        try:
            local.register(config.proto.type, config)
        except StatusError as error:
            problems.add(config.location("type"), error.message, error.code)
    return local


def expand(
    nodes: Sequence[GraphNode],
    registry: Registry,
    problems: Problems,
    *,
    missing: Problems,
    services: Mapping[str, Any],
    base_path: Path,
) -> list[tuple[GraphNode, type[Calculator] | None]]:
    """The nodes that remain when no subgraph is left, each with its class (None: unknown).

    Ordinary nodes keep their order and come first; those of subgraphs follow. Calculators that cannot
    be found go to `missing`, since MediaPipe looks for them only after the expansion.
    """
    expander = _Expander(registry, problems, missing, services, base_path)
    pending = list(nodes)
    done: list[tuple[GraphNode, type[Calculator] | None]] = []
    while pending:
        # Names are made unique among all nodes of the graph as it is now, the finished ones included.
        names = canonical_names([*(node for node, _ in done), *pending])[len(done) :]
        level, pending = pending, []
        for node, name in zip(level, names, strict=True):
            calculator, graph = expander.look_up(node, name)
            if graph is None:
                done.append((node, calculator))
            else:
                pending += expander.inner_nodes(node, name, graph)
    return done


class _Expander:
    def __init__(
        self,
        registry: Registry,
        problems: Problems,
        missing: Problems,
        services: Mapping[str, Any],
        base_path: Path,
    ) -> None:
        self._registry = registry
        self._problems = problems
        self._missing = missing
        self._services = services
        self._base_path = base_path

    def look_up(
        self, node: GraphNode, name: str
    ) -> tuple[type[Calculator] | None, GraphConfig | None]:
        """The class of a node, or the graph it stands for; neither for an unknown one."""
        called = node.proto.calculator
        at = node.place("calculator")
        if not called:
            self._missing.add(at, f"node '{name}' names no calculator", Code.NOT_FOUND)
            return None, None
        try:
            entry = self._registry.find(called, node.package)
            if entry is None:
                self._missing.add(at, self._registry.unknown(called), Code.NOT_FOUND)
                return None, None
            found = entry.load()
        except StatusError as error:
            self._missing.add(at, error.message, error.code)
            return None, None
        if isinstance(found, GraphConfig):
            self._check_options(node, name, found)
            return None, found
        graph = self._class_graph(node, name, found)
        return (found, None) if graph is None else (None, graph)

    def _check_options(self, node: GraphNode, name: str, graph: GraphConfig) -> None:
        """Options reach a graph through its own options and `option_value`; others reach nobody."""
        given = OptionSet.of_node(node.proto, node.location)
        given.report_duplicates(self._problems)
        declared = graph_option_types(graph)
        if declared or not any(inner.option_value for inner in graph.proto.node):
            given.mark_read(declared)
            owner = f"subgraph '{node.proto.calculator}' (node '{name}')"
            given.report_unread(self._problems, owner, declared)

    def _class_graph(
        self, node: GraphNode, name: str, calculator: type[Calculator]
    ) -> GraphConfig | None:
        if calculator.expand.__func__ is Calculator.expand.__func__:  # type: ignore[attr-defined]
            return None
        ignored = Problems()  # reported when the node is drafted, if it remains
        options = read_options(
            calculator, OptionSet.of_node(node.proto, node.location), name, ignored
        )
        try:
            maps = [TagMap.create(getattr(node.proto, f), node.places_of(f)) for f in PORT_FIELDS]
            inputs, outputs, side_inputs, side_outputs = maps
            context = SubgraphContext(
                node.proto,
                name,
                options,
                inputs,
                outputs,
                side_inputs,
                side_outputs,
                self._services,
                self._base_path,
            )
            expanded = calculator.expand(context)
            if expanded is None:
                return None
            config = as_graph_config(expanded, str(node.location.file))
        except GraphError as error:
            self._problems.extend(error.problems)
            return None
        except Exception as error:  # an author's code may raise anything
            status = isinstance(error, StatusError)
            cause = str(error) if status else f"{type(error).__name__}: {error}"
            self._problems.add(
                node.location,
                f"{calculator.__name__}: expand() of node '{name}' failed: {cause}",
                error.code if isinstance(error, StatusError) else Code.UNKNOWN,
            )
            return None
        self._problems.extend(ignored.in_order())
        return config

    def inner_nodes(self, node: GraphNode, name: str, graph: GraphConfig) -> list[GraphNode]:
        """The subgraph's nodes, renamed and connected to what the calling node is connected to."""
        called = node.proto.calculator
        inside = (*node.inside, Enclosing(name, called))
        if len(inside) > MAX_NESTING:
            chain = " > ".join(dict.fromkeys(each.calculator for each in inside))
            self._problems.add(node.location, f"subgraph '{called}' contains itself: {chain}")
            return []
        before = len(self._problems.in_order())
        self._check_fields(node, name)
        refuse_unsupported(graph, self._problems, is_subgraph=True)
        interface = _connect(node, graph, self._problems)
        if len(self._problems.in_order()) > before:
            return []
        at = None if graph.locations else node.location
        inner = nodes_of(graph, inside, node.package, at)
        inner = apply_option_values(graph, inner, node, self._registry, self._problems)
        prefix = _prefix(name)
        return [
            each.renamed(prefix + own, interface.renamer(prefix))
            for each, own in zip(inner, canonical_names(inner), strict=True)
        ]

    def _check_fields(self, node: GraphNode, name: str) -> None:
        for each in _CALCULATORS_ONLY:
            value = getattr(node.proto, each)
            given = node.proto.HasField(each) if each.endswith("handler") else bool(value)
            if given:
                self._problems.add(
                    node.place(each),
                    f'Subgraph "{name}" has a field that is only applicable to calculators: {each}',
                )


@dataclass(frozen=True)
class _Interface:
    """Inner name to the caller's name; None where the caller left an input unconnected."""

    streams: Mapping[str, str | None]
    side_packets: Mapping[str, str | None]

    def renamer(self, prefix: str) -> Any:
        def rename(port_field: str, name: str) -> str | None:
            outside = self.streams if port_field in STREAM_FIELDS else self.side_packets
            if name not in outside:
                return prefix + name
            new = outside[name]
            # An unconnected input is taken off its readers. (What writes it would be an error.)
            return new if new is not None or port_field.startswith("input") else prefix + name

        return rename


def _connect(node: GraphNode, graph: GraphConfig, problems: Problems) -> _Interface:
    maps: dict[str, dict[str, str | None]] = {"stream": {}, "side_packet": {}}
    for port_field in PORT_FIELDS:
        kind = "stream" if port_field in STREAM_FIELDS else "side_packet"
        places = [
            graph.location(port_field, i) for i in range(len(getattr(graph.proto, port_field)))
        ]
        try:
            inner = TagMap.create(getattr(graph.proto, port_field), places)
            outer = TagMap.create(getattr(node.proto, port_field), node.places_of(port_field))
        except StatusError as error:
            problems.add(
                node.place(port_field),
                f"while processing {port_field} of subgraph node {node.proto.calculator}: "
                f"{error.message}",
                error.code,
            )
            continue
        _check_interface(node, port_field, inner, outer, problems)
        for key, port in inner.items():
            if key in outer:
                maps[kind][port.name] = outer[key].name
            elif port_field.startswith("input"):
                maps[kind].setdefault(port.name, None)
    return _Interface(maps["stream"], maps["side_packet"])


def _check_interface(
    node: GraphNode, port_field: str, inner: TagMap, outer: TagMap, problems: Problems
) -> None:
    begin = f"{port_field} of subgraph node {node.proto.calculator}: "
    for tag in outer.tags:
        at = outer[tag, 0].location
        if tag not in inner.tags:
            known = ", ".join(repr(known) for known in inner.tags) or "none"
            problems.add(
                at if at.line else node.location,
                f'{begin}Tag "{tag}" does not exist in the subgraph config, which has {known}'
                f"{did_you_mean(tag, inner.tags)}",
            )
        elif outer.count(tag) > inner.count(tag):
            problems.add(
                at if at.line else node.location,
                f'{begin}Tag "{tag}" has {outer.count(tag)} indexes in the subgraph node but has only '
                f"{inner.count(tag)} indexes in the subgraph config.",
            )


def _prefix(node_name: str) -> str:
    table = str.maketrans(". :", "___")
    return node_name.lower().translate(table) + "__"
