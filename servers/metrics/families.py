"""Measurements as Prometheus' families of samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client.metrics_core import Metric

from calcgraph.runtime.measurement import Distribution, Measurement


class Families:
    """Collects samples by name, in the order in which the names come."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._by_name: dict[str, Metric] = {}

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._by_name.values())

    def add(self, measurement: Measurement, labels: Mapping[str, str] | None = None) -> None:
        """With `labels` before those of the measurement itself."""
        family = self._family(measurement)
        labels = {**(labels or {}), **measurement.labels}
        if isinstance(measurement.value, Distribution):
            add_distribution(family, labels, measurement.value)
        else:
            suffix = "_total" if measurement.total else ""
            family.add_sample(family.name + suffix, labels, measurement.value)

    def add_all(self, measurements: Iterable[Measurement]) -> None:
        for measurement in measurements:
            self.add(measurement)

    def _family(self, measurement: Measurement) -> Metric:
        name = self._prefix + measurement.name
        if name not in self._by_name:
            self._by_name[name] = Metric(name, measurement.help, _kind(measurement))
        return self._by_name[name]


def add_distribution(
    family: Metric, labels: Mapping[str, str], values: Distribution, scale: float = 1.0
) -> None:
    """A histogram's samples; `scale` brings the values to the family's unit."""
    counts = list(values.counts)
    ends = [str(round(bound * scale, 7)) for bound in values.bounds] + ["+Inf"]
    for end, count in zip(ends, accumulate(counts), strict=True):
        family.add_sample(f"{family.name}_bucket", {**labels, "le": end}, count)
    family.add_sample(f"{family.name}_count", dict(labels), sum(counts))
    family.add_sample(f"{family.name}_sum", dict(labels), values.sum * scale)


def _kind(measurement: Measurement) -> str:
    if isinstance(measurement.value, Distribution):
        return "histogram"
    return "counter" if measurement.total else "gauge"
