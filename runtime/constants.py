"""Nodes of side packets alone: opened once per graph object, as long as what they are given is the same.

MediaPipe keeps such nodes closed in later runs (calculator_node.cc, OutputsAreConstant), so that an expensive
side packet is made once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calcgraph.runtime.packet import Packet

if TYPE_CHECKING:
    from calcgraph.runtime.context import OutputSidePort
    from calcgraph.runtime.node import Node


class Constants:
    """What the nodes without streams were given and made, by node id. Belongs to a graph, not to a run."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[list[Packet], list[OutputSidePort]]] = {}

    def remember(self, node: Node) -> None:
        """It was opened; what it makes stands in its ports, now or by the end of the run."""
        self._made[node.id] = (node.side_inputs, node.side_ports)

    def repeat(self, node: Node) -> bool:
        """Give the node what it made in an earlier run; False if that would not be the same."""
        given, ports = self._made.get(node.id, ([], []))
        if node.id not in self._made or not _same(given, node.side_inputs):
            return False
        if any(port.packet.is_empty() for port in ports):
            return False
        for mine, earlier in zip(node.side_ports, ports, strict=True):
            mine.packet = earlier.packet
        return True


def _same(before: list[Packet], now: list[Packet]) -> bool:
    return len(before) == len(now) and all(
        one._payload is other._payload for one, other in zip(before, now, strict=True)
    )
