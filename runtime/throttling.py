"""Back pressure: a full queue holds back the sources and graph inputs that feed it, and nothing else.

Holding back nodes in between could make a join wait for ever. Holding back the ends can still: one input
of a join full, the other waiting for packets of the very source that is held back. When the graph comes to
rest like that, full queues are allowed to grow, one packet at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.streams import InputQueue

if TYPE_CHECKING:
    from calcgraph.runtime.plan import GraphPlan
    from calcgraph.runtime.scheduler import Scheduler

log = logging.getLogger("calcgraph.graph")


class Feeder(Protocol):
    """A source or a graph input: what may be held back."""

    blockers: set[InputQueue]

    def unblocked(self) -> None: ...


class Throttle:
    """Who is held back by which full queue, in one run."""

    def __init__(self, scheduler: Scheduler, feeders: Mapping[str | int, Feeder]) -> None:
        self._scheduler = scheduler
        self._feeders = feeders
        """By name of the graph input stream, or id of the source node."""
        self._ancestors: list[frozenset[str | int]] | None = None
        self.full: dict[InputQueue, None] = {}
        """The full queues that hold somebody back, in the order in which they filled."""

    def on_full(self, queue: InputQueue) -> None:
        feeders = self._feeding(queue)
        if feeders:
            self.full[queue] = None
            self._tell(queue, True)
            for key in feeders:
                self._feeders[key].blockers.add(queue)

    def on_room(self, queue: InputQueue) -> None:
        if self.full.pop(queue, 0) is None:
            self._tell(queue, False)
            for key in self._feeding(queue):
                feeder = self._feeders[key]
                feeder.blockers.discard(queue)
                if not feeder.blockers:
                    feeder.unblocked()

    def _tell(self, queue: InputQueue, is_full: bool) -> None:
        if self._scheduler.watch is not None:
            self._scheduler.watch.on_throttled(queue.name, is_full)

    def resolve_deadlock(self) -> bool:
        """Nothing runs and somebody is held back: make room. False if there was nothing to be done."""
        stuck = [queue for queue in self.full if queue.may_grow]
        for queue in stuck:
            if self._scheduler.plan.report_deadlock:
                self._report(queue)
            else:
                queue.grow(len(queue.packets) + 1)
                log.debug("%s: limit raised to %d", _where(queue), queue.limit)
        return bool(stuck)

    def _report(self, queue: InputQueue) -> None:
        self._scheduler.record(
            status_error(
                Code.UNAVAILABLE,
                f"Detected a deadlock due to input throttling for {_where(queue)}: its queue holds "
                f"{len(queue.packets)} of at most {queue.limit} packets, all calculators are idle, and "
                "what feeds it is held back. Raise max_queue_size, or leave out report_deadlock to "
                "let the queue grow.",
            )
        )

    def _feeding(self, queue: InputQueue) -> frozenset[str | int]:
        plan = self._scheduler.plan
        producer = plan.streams[queue.name].producer
        if producer is None:
            return frozenset((queue.name,))
        if self._ancestors is None:
            self._ancestors = feeders_of_nodes(plan)
        return self._ancestors[producer[0]]


def feeders_of_nodes(plan: GraphPlan) -> list[frozenset[str | int]]:
    """For each node, the graph inputs (by name) and sources (by id) that its packets come from."""
    found: list[frozenset[str | int]] = []
    for node in plan.nodes:
        above: set[str | int] = {node.id} if node.is_source else set()
        for id, port in enumerate(node.inputs):
            producer = plan.streams[port.name].producer
            if producer is None:
                above.add(port.name)
            elif id not in node.back_edges:
                above |= found[producer[0]]
        found.append(frozenset(above))
    return found


def _where(queue: InputQueue) -> str:
    return f'input stream "{queue.name}" of node "{queue.owner.name}"'
