"""Who watches the server's requests: counters, the log, traces."""

from __future__ import annotations

from collections.abc import Mapping

from calcgraph.runtime.request_trace import RequestTrace
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.metrics.ovms import NO_OVMS_METRICS, OvmsMetrics
from calcgraph.servers.observation.exchange import Exchange, Observer, Surface
from calcgraph.servers.observation.failure_log import FailureLog
from calcgraph.servers.observation.load_counts import LoadCounts
from calcgraph.servers.observation.request_counts import RequestCounts
from calcgraph.servers.observation.request_ids import RequestIds
from calcgraph.servers.tracing.open_telemetry import Tracing
from calcgraph.servers.tracing.server_timing import is_asked_for


class Observation:
    """Belongs to one server; its front ends share it."""

    def __init__(
        self,
        plane: DataPlane,
        *,
        loads: LoadCounts | None = None,
        ovms: OvmsMetrics = NO_OVMS_METRICS,
        tracing: Tracing | None = None,
    ) -> None:
        self.requests = RequestCounts(lambda: plane.names)
        self.loads = loads or LoadCounts()
        self.ovms = ovms
        self._request_ids = RequestIds()
        self._tracing = tracing
        observers: tuple[Observer, ...] = (self.requests, FailureLog())
        self._observers = observers if tracing is None else (*observers, tracing)

    def exchange(self, surface: Surface, operation: str, headers: Mapping[str, str]) -> Exchange:
        """A request has arrived; enter it."""
        request_id = self._request_ids.of(headers.get("x-request-id"))
        exchange = Exchange(self._observers, surface, operation, request_id, headers)
        if is_asked_for(headers):
            exchange.trace = RequestTrace()
        if self._tracing is not None:
            self._tracing.begin(exchange)
        return exchange
