"""Where the packets of a running graph are: for a debug page, or for finding out why it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calcgraph.runtime.node import CLOSED, CLOSING, FAILED, OPENED, OPENING, PREPARED, Node
from calcgraph.runtime.streams import InputQueue
from calcgraph.runtime.timestamp import Timestamp

if TYPE_CHECKING:
    from calcgraph.runtime.scheduler import Scheduler

_STATES = {
    PREPARED: "waits to be opened",
    OPENING: "opening",
    OPENED: "open",
    CLOSING: "closing",
    CLOSED: "closed",
    FAILED: "failed to open",
}


@dataclass(frozen=True, slots=True)
class InputInfo:
    """One input of a node."""

    stream: str
    queue_size: int
    packets_added: int
    min_timestamp_or_bound: Timestamp
    """The time of the oldest packet that waits; if none does, the earliest that may still come."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """One node, as it is at the moment."""

    name: str
    state: str
    calls_in_flight: int
    inputs: Sequence[InputInfo]


def runtime_info(run: Scheduler) -> list[NodeInfo]:
    """All nodes of a run. The run goes on meanwhile: nodes may be a packet apart."""
    return [_node(node) for node in run.nodes]


def _node(node: Node) -> NodeInfo:
    inputs = [_input(queue) for queue in node.queues]
    return NodeInfo(node.name, _STATES[node.state], node.in_flight, inputs)


def _input(queue: InputQueue) -> InputInfo:
    packets = list(queue.packets)
    time = packets[0]._time if packets else queue.bound
    return InputInfo(queue.name, len(packets), queue.added, Timestamp.of(time))
