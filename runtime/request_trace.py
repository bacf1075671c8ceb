"""What one request did within its graph: the calls of nodes, and the batches it shared with others.

Only requests that are traced have one. They run in graphs whose calls are timed, the others in graphs whose
calls are not, so that these pay nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from calcgraph.runtime.calls import Call, Phase

REQUEST_TRACE: Final = "calcgraph.request_trace"
"""The key of the service that calculators find the trace under."""

CURRENT: Final[ContextVar[RequestTrace | None]] = ContextVar("request_trace", default=None)
"""Of the request that is answered here; None for most."""


@dataclass(slots=True, eq=False)
class Batch:
    """One inference for many requests. Times are nanoseconds since the epoch."""

    start: int
    texts: int
    tokens: int
    slots: int
    """Tokens inferred, padding included."""
    finish: int = 0
    span: Any = None
    """What a tracer made of it, so that all requests refer to the same."""


class RequestTrace:
    """Listens to the graph that answers the request; the calls are in order of their ends."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._batches: dict[str, list[Batch]] = {}

    def on_call(self, call: Call) -> None:
        if call.phase is Phase.PROCESS:
            self.calls.append(call)

    def on_packet(self, stream: str, timestamp: int, now: int) -> None:
        """When the request came is known to who made it."""

    def batches(self, node: str) -> list[Batch]:
        """Those a node had a part in; the node's engine adds to them."""
        return self._batches.setdefault(node, [])

    def seconds(self) -> Mapping[str, float]:
        """What the calls of each node took together, by its name, in the order of the first ends."""
        took: dict[str, float] = {}
        for call in self.calls:
            name = call.node.name
            took[name] = took.get(name, 0.0) + (call.finish - call.start) / 1e9
        return took
