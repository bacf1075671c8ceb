"""`option_value: "field:graph/field"`: a node's option copied from the options of its graph."""

from __future__ import annotations

from collections.abc import Sequence

from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import Code
from calcgraph.runtime.graph_node import GraphNode
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.registry import Registry


def apply_option_values(
    graph: GraphConfig,
    nodes: Sequence[GraphNode],
    caller: GraphNode | None,
    registry: Registry,
    problems: Problems,
) -> list[GraphNode]:
    """The nodes with their option values filled in. `caller` is the node that stands for the graph."""
    for node in nodes:
        for index in range(len(node.proto.option_value)):
            at = node.place("option_value", index)
            problems.add(at, "not supported: option_value", Code.UNIMPLEMENTED)
    return list(nodes)
