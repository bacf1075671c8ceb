"""Who watches the server's requests: counters, the log, traces."""

from __future__ import annotations

from collections.abc import Mapping

from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.metrics.ovms import NO_OVMS_METRICS, OvmsMetrics
from calcgraph.servers.observation.exchange import Exchange, Observer, Surface
from calcgraph.servers.observation.failure_log import FailureLog
from calcgraph.servers.observation.load_counts import LoadCounts
from calcgraph.servers.observation.request_counts import RequestCounts
from calcgraph.servers.observation.request_ids import RequestIds


class Observation:
    """Belongs to one server; its front ends share it."""

    def __init__(
        self,
        plane: DataPlane,
        *,
        loads: LoadCounts | None = None,
        ovms: OvmsMetrics = NO_OVMS_METRICS,
    ) -> None:
        self.requests = RequestCounts(lambda: plane.names)
        self.loads = loads or LoadCounts()
        self.ovms = ovms
        self._request_ids = RequestIds()
        self._observers: tuple[Observer, ...] = (self.requests, FailureLog())

    def exchange(self, surface: Surface, operation: str, headers: Mapping[str, str]) -> Exchange:
        """A request has arrived; enter it."""
        request_id = self._request_ids.of(headers.get("x-request-id"))
        return Exchange(self._observers, surface, operation, request_id, headers)
