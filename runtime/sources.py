"""Nodes without inputs: called again and again until they have nothing more, one layer after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calcgraph.runtime.errors import Code, status_error

if TYPE_CHECKING:
    from calcgraph.runtime.node import Node
    from calcgraph.runtime.scheduler import Scheduler


class Sources:
    """The sources of one run. Layer n + 1 starts when every source of layer n is closed."""

    def __init__(self, scheduler: Scheduler, nodes: list[Node]) -> None:
        self._scheduler = scheduler
        self._unopened = set(nodes)
        self._waiting: list[Node] = []
        self._active: set[Node] = set()
        self.stopping = False
        """Sources are closed at their next turn."""

    @property
    def alive(self) -> bool:
        """Whether a source may still write something."""
        return bool(self._active or self._waiting)

    def on_opened(self, node: Node) -> None:
        self._unopened.discard(node)
        self._waiting.append(node)

    def on_closed(self, node: Node) -> None:
        self._active.discard(node)

    def start_next_layer(self) -> bool:
        """The graph is at rest: start the lowest layer that waits, if its turn has come."""
        if self._active or not self._waiting:
            return False
        layer = min(_layer(node) for node in self._waiting)
        if any(_layer(node) < layer for node in self._unopened):
            if not self._scheduler.open_inputs:
                self._scheduler.record(
                    status_error(
                        Code.UNKNOWN,
                        "Detected a deadlock because source nodes cannot be activated when a "
                        "source node at a lower layer is still not opened.",
                    )
                )
                return True
            return False
        self._active = {node for node in self._waiting if _layer(node) == layer}
        self._waiting = [node for node in self._waiting if node not in self._active]
        for node in sorted(self._active, key=lambda node: node.id):
            node.take_turn()
        return True


def _layer(node: Node) -> int:
    return node.plan.source_layer
