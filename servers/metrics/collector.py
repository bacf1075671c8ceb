"""What /metrics tells under calcgraph's own names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client.metrics_core import Metric

from calcgraph.runtime.measurement import Measurement
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.metrics.families import Families
from calcgraph.servers.repository.status import State

if TYPE_CHECKING:
    from calcgraph.servers.observation.observation import Observation

PREFIX: Final = "calcgraph_"


class Collector:
    """Asks when it is asked: nothing is counted twice, and requests pay next to nothing."""

    def __init__(self, plane: DataPlane, observation: Observation) -> None:
        self._plane = plane
        self._observation = observation

    def describe(self) -> Iterator[Metric]:
        """Nothing before the models are asked."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        families = Families(PREFIX)
        families.add_all(self._requests())
        families.add_all(self._loads())
        families.add_all(self._states())
        for model in self._plane.names:
            for each in self._plane.measurements(model):
                families.add(each, {"model": model})
        yield from families

    def _requests(self) -> Iterator[Measurement]:
        for tally in self._observation.requests.tallies:
            labels = {
                "model": tally.model,
                "surface": tally.surface.value,
                "method": tally.method or "",
            }
            for outcome, count in tally.outcomes.items():
                yield Measurement(
                    "requests",
                    count,
                    "Requests that have ended, by how: ok, cancelled by the client, or an error.",
                    total=True,
                    labels={**labels, "outcome": outcome},
                )
            yield Measurement(
                "requests_running", tally.running, "Requests being answered.", labels=labels
            )
            yield Measurement(
                "request_seconds",
                tally.seconds,
                "From a request's arrival to its answer, where that is no error.",
                labels=labels,
            )

    def _loads(self) -> Iterator[Measurement]:
        loads = self._observation.loads
        for (model, outcome), count in loads.loads.items():
            labels = {"model": model, "outcome": outcome}
            help = "Loads of a model, the first and later ones."
            yield Measurement("model_loads", count, help, total=True, labels=labels)
        for model, seconds in loads.seconds.items():
            help = "What the newest load took."
            yield Measurement("model_load_seconds", seconds, help, labels={"model": model})

    def _states(self) -> Iterator[Measurement]:
        for model, versions in self._plane.statuses().items():
            help = "1 while the model answers requests."
            ready = self._plane.is_ready(model)
            yield Measurement("model_ready", ready, help, labels={"model": model})
            for each in versions:
                for state in State:
                    labels = {"model": model, "version": str(each.version), "state": state.value}
                    help = "1 for the state that a version is in."
                    yield Measurement("model_state", each.state is state, help, labels=labels)
