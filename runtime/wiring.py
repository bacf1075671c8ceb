"""Who writes each stream and side packet, who reads it, and in which order the nodes stand.

Streams and side packets are two namespaces; each name has one producer. Nodes keep the order of the
file as far as the edges allow (mediapipe/framework/validated_graph_config.cc).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import networkx as nx

from calcgraph.runtime.contract import Collection
from calcgraph.runtime.errors import Code
from calcgraph.runtime.naming import did_you_mean, nearest
from calcgraph.runtime.node_contract import Draft
from calcgraph.runtime.plan import Port
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.tags import TagMap

End = tuple[int, int]
"""(place of the node in the list of drafts, port id)."""


@dataclass
class Edge:
    """One stream or side packet."""

    name: str
    producer: End | None = None
    """None: the application feeds it."""
    producer_port: Port | None = None
    consumers: list[End] = field(default_factory=list)


@dataclass(frozen=True)
class Wiring:
    streams: Mapping[str, Edge]
    side_packets: Mapping[str, Edge]


def wire(drafts: Sequence[Draft], graph_inputs: TagMap, problems: Problems) -> Wiring:
    """Connect all ports by name. Reports streams that nothing writes, or that two nodes write."""
    side_packets = _producers(drafts, "output_side_packets", TagMap([]), problems)
    _consumers(drafts, "input_side_packets", side_packets, None)
    streams = _producers(drafts, "outputs", graph_inputs, problems)
    _consumers(drafts, "inputs", streams, problems)
    return Wiring(streams, side_packets)


def check_graph_outputs(wiring: Wiring, graph_outputs: TagMap, problems: Problems) -> None:
    """A graph's output must be written; MediaPipe notices only when somebody asks for it."""
    for port in graph_outputs.ports:
        if port.name not in wiring.streams:
            problems.add(
                port.location,
                f"the graph's output stream '{port.name}' is written by nothing"
                f"{did_you_mean(port.name, wiring.streams)}",
                Code.UNKNOWN,
            )


def _producers(
    drafts: Sequence[Draft],
    collection: Literal["outputs", "output_side_packets"],
    given: TagMap,
    problems: Problems,
) -> dict[str, Edge]:
    kind = "Stream" if collection == "outputs" else "Side Packet"
    edges: dict[str, Edge] = {}

    def add(port: Port, producer: End | None) -> None:
        earlier = edges.get(port.name)
        if earlier is None:
            edges[port.name] = Edge(port.name, producer, port)
            return
        by = (
            "the graph's input"
            if earlier.producer is None
            else f"node {_name(drafts, earlier.producer)}"
        )
        first = earlier.producer_port.location if earlier.producer_port else ""
        problems.add(
            port.location,
            f'Output {kind} "{port.name}" defined twice. First by {by} ({first}); '
            "expected one producer",
            Code.UNKNOWN,
        )

    for port in given.ports:
        add(port, None)
    for place, draft in enumerate(drafts):
        for port_id, port in enumerate(draft.tag_maps[collection].ports):
            add(port, (place, port_id))
    return edges


def _consumers(
    drafts: Sequence[Draft],
    collection: Literal["inputs", "input_side_packets"],
    edges: dict[str, Edge],
    problems: Problems | None,
) -> None:
    """Without `problems` what nobody produces comes from the application."""
    produced = list(edges)
    for place, draft in enumerate(drafts):
        for port_id, port in enumerate(draft.tag_maps[collection].ports):
            edge = edges.get(port.name)
            if edge is None and problems is not None:
                guess = nearest(port.name, produced)
                problems.add(
                    port.location,
                    f"node '{draft.name}' reads stream '{port.name}', which nothing writes: "
                    f'Input Stream "{port.name}" does not have a corresponding output stream.'
                    + (f" Did you mean '{guess}'?" if guess else ""),
                    Code.UNKNOWN,
                )
                continue
            if edge is None:
                edge = edges[port.name] = Edge(port.name)
            edge.consumers.append((place, port_id))


def topological_order(drafts: Sequence[Draft], wiring: Wiring, problems: Problems) -> list[int]:
    """The drafts' places in an order in which producers come first; the file's own where it is one.

    A cycle that no back edge cuts is a problem, and the order is then the file's.
    """
    dag = edges_between_nodes(drafts, wiring)
    try:
        return list(nx.lexicographical_topological_sort(dag, key=lambda place: place))
    except nx.NetworkXUnfeasible:
        _report_cycle(drafts, dag, problems)
        return list(range(len(drafts)))


def edges_between_nodes(drafts: Sequence[Draft], wiring: Wiring) -> nx.DiGraph[int]:
    """Which node must stand before which; back edges are left out."""
    dag: nx.DiGraph[int] = nx.DiGraph()
    dag.add_nodes_from(range(len(drafts)))
    for _, edge, consumer, is_back_edge in _connections(drafts, wiring):
        if edge.producer is not None and not is_back_edge:
            dag.add_edge(edge.producer[0], consumer[0], name=edge.name)
    return dag


def needless_back_edges(
    drafts: Sequence[Draft], wiring: Wiring, order: Sequence[int]
) -> Iterator[str]:
    """Rule V4: a back edge whose producer comes first anyway is worth a warning."""
    rank = {place: position for position, place in enumerate(order)}
    for _, edge, consumer, is_back_edge in _connections(drafts, wiring):
        if is_back_edge and (edge.producer is None or rank[edge.producer[0]] < rank[consumer[0]]):
            place = drafts[consumer[0]].tag_maps["inputs"].ports[consumer[1]].location
            yield (
                f"{place}: input stream '{edge.name}' of node {_name(drafts, consumer)} is marked as "
                "a back edge, but what writes it comes first: the mark was not necessary"
            )


def _connections(
    drafts: Sequence[Draft], wiring: Wiring
) -> Iterator[tuple[Collection, Edge, End, bool]]:
    for edge in wiring.streams.values():
        for place, port_id in edge.consumers:
            yield "inputs", edge, (place, port_id), port_id in drafts[place].back_edges
    for edge in wiring.side_packets.values():
        for consumer in edge.consumers:
            yield "input_side_packets", edge, consumer, False


def _report_cycle(drafts: Sequence[Draft], dag: nx.DiGraph[int], problems: Problems) -> None:
    for component in nx.strongly_connected_components(dag):
        ring = dag.subgraph(component)
        if len(component) == 1 and not ring.number_of_edges():
            continue
        steps = nx.find_cycle(ring, source=min(component))
        names = ", ".join(drafts[place].name for place, _ in steps)
        path = " -> ".join(f"{drafts[a].name} -({dag.edges[a, b]['name']})" for a, b in steps)
        problems.add(
            drafts[steps[0][0]].location,
            f"calculator stream cycle detected in graph: [{names}]: {path} -> "
            f"{drafts[steps[0][0]].name}; cut it with input_stream_info {{ tag_index: ... "
            "back_edge: true }",
            Code.UNKNOWN,
        )


def _name(drafts: Sequence[Draft], end: End) -> str:
    return f"'{drafts[end[0]].name}'"
