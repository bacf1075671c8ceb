"""Nodes without inputs: called again and again until they have nothing more, one layer after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calcgraph.runtime.calculator import STOP, Calculator
from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.executors import Lane
from calcgraph.runtime.node import OPENED, Node
from calcgraph.runtime.plan import NodePlan
from calcgraph.runtime.streams import InputQueue

if TYPE_CHECKING:
    from calcgraph.runtime.scheduler import Scheduler


class SourceNode(Node):
    """Takes turns with everything else that is ready. Its context's time is always 0."""

    __slots__ = ("_missed_turn", "blockers")

    def __init__(
        self,
        scheduler: Scheduler,
        plan: NodePlan,
        calculator: Calculator,
        lane: Lane | None,
        resource: Any,
    ) -> None:
        super().__init__(scheduler, plan, calculator, lane, resource)
        self.blockers: set[InputQueue] = set()
        """The full queues that hold it back."""
        self._missed_turn = False

    def take_turn(self) -> None:
        """It may be called once more, unless it is held back or the graph is stopping."""
        if self.state != OPENED or self._in_flight or self.scheduler.failed:
            return
        self._missed_turn = bool(self.blockers)
        if self._missed_turn:
            return
        if self.scheduler.sources.stopping:
            self._prepare_close()
            return
        self.context._time = 0
        self._in_flight = 1
        self._pending.append(self.context)
        self._submit(self.scheduler.source_rank(self))

    def unblocked(self) -> None:
        if self._missed_turn:
            self.take_turn()

    def _on_opened(self) -> None:
        self.scheduler.sources.on_opened(self)

    def _on_processed(self, result: Any) -> None:
        if result is STOP and not self.scheduler.failed:
            self._prepare_close()
        else:
            self.take_turn()


class Sources:
    """The sources of one run. Layer n + 1 starts when every source of layer n is closed."""

    def __init__(self, scheduler: Scheduler, nodes: list[SourceNode]) -> None:
        self._scheduler = scheduler
        self._unopened = set(nodes)
        self._waiting: list[SourceNode] = []
        self._active: set[SourceNode] = set()
        self.stopping = False
        """Sources are closed at their next turn."""

    @property
    def alive(self) -> bool:
        """Whether a source may still write something."""
        self._active = {node for node in self._active if node.state == OPENED}
        return bool(self._active or self._waiting)

    def on_opened(self, node: SourceNode) -> None:
        self._unopened.discard(node)
        self._waiting.append(node)

    def start_next_layer(self) -> bool:
        """The graph is at rest: start the lowest layer that waits, if its turn has come."""
        if not self._waiting or not self.alive or self._active:
            return False
        layer = min(_layer(node) for node in self._waiting)
        if any(_layer(node) < layer for node in self._unopened):
            return self._report_deadlock()
        self._active = {node for node in self._waiting if _layer(node) == layer}
        self._waiting = [node for node in self._waiting if node not in self._active]
        for node in sorted(self._active, key=lambda node: node.id):
            node.take_turn()
        return True

    def _report_deadlock(self) -> bool:
        if self._scheduler.open_inputs:
            return False  # what the source below waits for may still come
        self._scheduler.record(
            status_error(
                Code.UNKNOWN,
                "Detected a deadlock because source nodes cannot be activated when a "
                "source node at a lower layer is still not opened.",
            )
        )
        return True


def _layer(node: SourceNode) -> int:
    return node.plan.source_layer
