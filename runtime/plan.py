"""A validated graph: who feeds whom, worked out once so that a request only runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
from google.protobuf.message import Message

from calcgraph.runtime.errors import NOWHERE, Location

if TYPE_CHECKING:
    from calcgraph.proto import graph_pb2
    from calcgraph.runtime.calculator import Calculator
    from calcgraph.runtime.contract import Contract
    from calcgraph.runtime.struct_options import StructOptions


@dataclass(frozen=True, slots=True)
class Port:
    """One `TAG:index:name` of a node or a graph."""

    tag: str
    index: int
    name: str
    location: Location = NOWHERE


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node; ports stand in canonical order (tags bytewise, then index), which is their id order."""

    id: int
    name: str
    calculator: type[Calculator]
    contract: Contract
    options: Message | StructOptions | None
    inputs: Sequence[Port]
    outputs: Sequence[Port]
    input_side_packets: Sequence[Port]
    output_side_packets: Sequence[Port]
    back_edges: frozenset[int]
    input_stream_handler: str
    handler_options: Message | None
    executor: str
    max_in_flight: int
    source_layer: int
    location: Location
    base_path: Path

    @property
    def is_source(self) -> bool:
        return not self.inputs and bool(self.outputs)


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream: the node output (or graph input) that writes it, the node inputs that read it."""

    name: str
    producer: tuple[int, int] | None
    """(node id, output id); None for a graph input stream."""
    consumers: Sequence[tuple[int, int]]
    """(node id, input id), in node order."""
    type: Any = None
    """The Python type that packets are checked against, None for any."""


@dataclass(frozen=True, slots=True)
class SidePacketPlan:
    """One side packet: who makes it (None: the application), who needs it."""

    name: str
    producer: tuple[int, int] | None
    consumers: Sequence[tuple[int, int]]
    required: bool
    type: Any = None


@dataclass(frozen=True, slots=True)
class ExecutorPlan:
    """One executor; "" is the name of the default one."""

    name: str
    type: str
    """ThreadPoolExecutor, ApplicationThreadExecutor, or "" for the runtime's (or application's) choice."""
    num_threads: int
    options: Any = None
    """Its ThreadPoolExecutorOptions."""


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """Everything a run needs to know. Nodes are in topological order; a node's id is its place."""

    nodes: Sequence[NodePlan]
    streams: Mapping[str, StreamPlan]
    side_packets: Mapping[str, SidePacketPlan]
    input_streams: Sequence[Port]
    output_streams: Sequence[Port]
    max_queue_size: int
    report_deadlock: bool
    executors: Mapping[str, ExecutorPlan]
    """By name; "" is the default one."""
    num_threads: int
    dag: nx.DiGraph[int]
    """Node ids, with an edge a stream or side packet (back edges left out)."""
    config: graph_pb2.CalculatorGraphConfig
    """Canonical form: expanded, sorted."""
    directives: Mapping[str, str] = field(default_factory=dict)
    """`# NAME: value` comments at the top of the file, for example OVMS_GRAPH_QUEUE_MAX_SIZE."""
    warnings: Sequence[str] = ()

    def consumers(self, node: NodePlan, tag: str = "", index: int = 0) -> Iterator[NodePlan]:
        """The nodes that read one output of `node`."""
        for port in node.outputs:
            if (port.tag, port.index) == (tag, index):
                for consumer, _ in self.streams[port.name].consumers:
                    yield self.nodes[consumer]
