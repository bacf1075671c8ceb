"""GET /metrics: what the models' nodes measure, in Prometheus' and OpenMetrics' text formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from calcgraph.runtime.measurement import Measurement
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.rest.router import Route

PATH: Final = "/metrics"
_PREFIX: Final = "calcgraph_"


class Metrics:
    """Asks the models when it is asked: nothing is counted twice, and requests pay nothing."""

    def __init__(self, plane: DataPlane) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_ModelCollector(plane))

    def routes(self) -> Iterator[Route]:
        yield Route("GET", PATH, self._metrics)

    async def _metrics(self, request: web.BaseRequest, _: str) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = web.Response(body=encode(self._registry))
        response.headers["Content-Type"] = content_type
        return response


class _ModelCollector:
    """The measurements of all models, each labelled with its model's name."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    def describe(self) -> Iterator[Metric]:
        """Nothing before the models are asked."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily(
            f"{_PREFIX}model_ready", "1 while the model answers requests.", labels=["model"]
        )
        families: dict[str, Metric] = {}
        for model in self._plane.names:
            ready.add_metric([model], self._plane.is_ready(model))
            for each in self._plane.measurements(model):
                family = families.get(each.name)
                if family is None:
                    family = families[each.name] = _family(each)
                suffix = "_total" if each.total else ""
                family.add_sample(family.name + suffix, {"model": model, **each.labels}, each.value)
        yield ready
        yield from families.values()


def _family(measurement: Measurement) -> Metric:
    kind = CounterMetricFamily if measurement.total else GaugeMetricFamily
    return kind(_PREFIX + measurement.name, measurement.help)
