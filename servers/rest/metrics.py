"""GET /metrics: what the server and its models count, in Prometheus' and OpenMetrics' text formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.metrics.collector import Collector
from calcgraph.servers.metrics.ovms import OvmsCollector
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.rest.router import Route

PATH: Final = "/metrics"


class Metrics:
    """Tells calcgraph's names, those of the process, and OVMS's if they are asked for."""

    def __init__(self, plane: DataPlane, observation: Observation) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(Collector(plane, observation))
        self._registry.register(OvmsCollector(plane, observation.requests, observation.ovms))

    def routes(self) -> Iterator[Route]:
        yield Route("GET", PATH, self._metrics)

    async def _metrics(self, request: web.BaseRequest, _: str) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = web.Response(body=encode(self._registry))
        response.headers["Content-Type"] = content_type
        return response
