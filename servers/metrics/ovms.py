"""OVMS's metrics, under OVMS's names and labels, for those who ask for them as they ask OVMS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.metrics_core import Metric

from calcgraph.runtime.measurement import Distribution, Measurement
from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.metrics.families import add_distribution
from calcgraph.servers.observation.exchange import Method, Surface

if TYPE_CHECKING:
    from calcgraph.servers.observation.request_counts import RequestCounts, Tally

DEFAULT: Final = (
    "ovms_streams",
    "ovms_current_requests",
    "ovms_current_graphs",
    "ovms_requests_success",
    "ovms_requests_fail",
    "ovms_requests_accepted",
    "ovms_requests_rejected",
    "ovms_responses",
    "ovms_graph_error",
    "ovms_request_time_us",
    "ovms_inference_time_us",
    "ovms_wait_for_infer_req_time_us",
)
OPTIONAL: Final = ("ovms_infer_req_queue_size", "ovms_infer_req_active")
_MICROSECONDS: Final = 1e6
"""In a second."""


@dataclass(frozen=True, slots=True)
class OvmsMetrics:
    """Which families are told; none unless asked for."""

    names: Sequence[str] = ()

    @classmethod
    def asked_for(cls, names: Sequence[str]) -> OvmsMetrics:
        """The families listed, OVMS's default ones for an empty list. Raises ValueError for an unknown one."""
        known = (*DEFAULT, *OPTIONAL)
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known) or f"; expected some of {', '.join(known)}"
                raise ValueError(f'OVMS has no metric "{name}"{hint}')
        return cls(tuple(names) or DEFAULT)


NO_OVMS_METRICS: Final = OvmsMetrics()


class OvmsCollector:
    """Made of the same counts as calcgraph's own metrics."""

    def __init__(self, plane: DataPlane, requests: RequestCounts, metrics: OvmsMetrics) -> None:
        self._plane = plane
        self._requests = requests
        self._names = metrics.names

    def describe(self) -> Iterator[Metric]:
        """Nothing before the models are asked."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        tallies = [tally for tally in self._requests.tallies if tally.model and tally.method]
        versions = {n: str(v[-1].version) for n, v in self._plane.statuses().items() if v}
        measured = [
            ({"name": name, "version": versions.get(name, "1")}, each)
            for name in self._plane.names
            for each in self._plane.measurements(name)
        ]
        for name in self._names:
            if (kind := _OF_REQUESTS.get(name)) is not None:
                yield kind.family(name, tallies, versions)
            elif name == "ovms_request_time_us":
                yield _request_time(name, tallies, versions)
            else:
                yield _OF_ENGINES[name].family(name, measured)


@dataclass(frozen=True, slots=True)
class _OfRequests:
    """A number of each tally."""

    help: str
    value: Callable[[Tally], float]
    labels: Callable[[Tally, str], dict[str, str]]
    graphs_only: bool = True
    gauge: bool = False

    def family(self, name: str, tallies: Iterable[Tally], versions: Mapping[str, str]) -> Metric:
        # OVMS's counters lack the ending that the format asks of counters.
        family = Metric(name, self.help, "gauge" if self.gauge else "unknown")
        sums: dict[tuple[tuple[str, str], ...], float] = {}
        for tally in tallies:
            if self.graphs_only and not (tally.method and tally.method.runs_graph):
                continue
            key = tuple(self.labels(tally, versions.get(tally.model, "1")).items())
            sums[key] = sums.get(key, 0) + self.value(tally)
        for key, value in sums.items():
            family.add_sample(name, dict(key), value)
        return family


def _call(tally: Tally, _: str = "") -> dict[str, str]:
    grpc = tally.surface is Surface.KSERVE_GRPC
    return {
        "api": "V3" if tally.surface is Surface.OPENAI else "KServe",
        "interface": "gRPC" if grpc else "REST",
        "method": str(tally.method),
        "name": tally.model,
    }


def _call_of_version(tally: Tally, version: str) -> dict[str, str]:
    if tally.method is Method.MODEL_READY:
        return _call(tally)
    return {**_call(tally), "version": version}


def _model(tally: Tally, _: str) -> dict[str, str]:
    return {"name": tally.model}


def _model_version(tally: Tally, version: str) -> dict[str, str]:
    return {"name": tally.model, "version": version}


_OF_REQUESTS: Final = {
    "ovms_current_requests": _OfRequests(
        "Requests being answered.",
        lambda tally: tally.running,
        _model_version,
        graphs_only=False,
        gauge=True,
    ),
    "ovms_current_graphs": _OfRequests(
        "Graphs that run.", lambda tally: tally.running, _model, gauge=True
    ),
    "ovms_requests_success": _OfRequests(
        "Requests answered well.",
        lambda tally: tally.succeeded,
        _call_of_version,
        graphs_only=False,
    ),
    "ovms_requests_fail": _OfRequests(
        "Requests answered with an error.",
        lambda tally: tally.failed,
        _call_of_version,
        graphs_only=False,
    ),
    "ovms_requests_accepted": _OfRequests(
        "Requests handed to a graph.", lambda tally: tally.accepted, _call
    ),
    "ovms_requests_rejected": _OfRequests(
        "Requests refused before a graph had them.", lambda tally: tally.rejected, _call
    ),
    "ovms_responses": _OfRequests("Answers of graphs.", lambda tally: tally.succeeded, _call),
    "ovms_graph_error": _OfRequests("Errors of graphs.", lambda tally: tally.graph_errors, _call),
}


def _request_time(name: str, tallies: Iterable[Tally], versions: Mapping[str, str]) -> Metric:
    family = Metric(name, "What requests took that were answered well.", "histogram")
    sums: dict[tuple[str, str], Distribution] = {}
    for tally in tallies:
        key = (_call(tally)["interface"], tally.model)
        sums.setdefault(key, Distribution()).merge(tally.seconds)
    for (interface, model), seconds in sums.items():
        labels = {"interface": interface, "name": model, "version": versions.get(model, "1")}
        add_distribution(family, labels, seconds, _MICROSECONDS)
    return family


@dataclass(frozen=True, slots=True)
class _OfEngines:
    """A measurement of the inference engines, summed over a model's nodes and lanes."""

    help: str
    measurement: str
    kind: str = "gauge"

    def family(self, name: str, measured: Iterable[tuple[dict[str, str], Measurement]]) -> Metric:
        family = Metric(name, self.help, self.kind)
        sums: dict[tuple[tuple[str, str], ...], Any] = {}
        for labels, each in measured:
            if each.name != self.measurement:
                continue
            key = tuple(labels.items())
            if isinstance(each.value, Distribution):
                sums.setdefault(key, Distribution(each.value.bounds)).merge(each.value)
            else:
                sums[key] = sums.get(key, 0) + each.value
        for key, value in sums.items():
            if isinstance(value, Distribution):
                add_distribution(family, dict(key), value, _MICROSECONDS)
            else:
                family.add_sample(name, dict(key), value)
        return family


_OF_ENGINES: Final = {
    "ovms_streams": _OfEngines("Inferences that can run at a time.", "engine_streams"),
    "ovms_infer_req_queue_size": _OfEngines("Inferences that can be under way.", "engine_requests"),
    "ovms_infer_req_active": _OfEngines("Inferences under way.", "engine_requests_active"),
    "ovms_inference_time_us": _OfEngines(
        "What inferences took.", "engine_inference_seconds", "histogram"
    ),
    "ovms_wait_for_infer_req_time_us": _OfEngines(
        "What requests waited for their first inference.", "engine_wait_seconds", "histogram"
    ),
}
