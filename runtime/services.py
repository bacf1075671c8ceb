"""Objects that all calculators of a graph share, by key (mediapipe/framework/graph_service.h)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.payload import InferRequest, InferResponse
from calcgraph.runtime.plan import GraphPlan

MODEL: Final = "calcgraph.model"
"""What is known of the model that a graph serves: the `ModelMetadata` of its executor."""

MODELS: Final = "calcgraph.models"
"""All models of the server that a graph is served by: a `Models`."""


class Models(Protocol):
    """Models by name, whatever they are made of."""

    async def infer(self, name: str, request: InferRequest, version: str = "") -> InferResponse:
        """Raises RequestError, also for a name or version that is not served (NOT_FOUND)."""


_defaults: dict[str, Callable[[], Any]] = {}


def default_service(key: str, make: Callable[[], Any]) -> None:
    """Have the service made, once per run, for graphs whose application does not give it."""
    _defaults[key] = make


def services_for(plan: GraphPlan, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the nodes asked for. Raises INTERNAL for what is required and neither given nor makeable."""
    services = dict(given)
    for node in plan.nodes:
        for key, request in node.contract.services.items():
            if key in services:
                continue
            if key in _defaults:
                services[key] = _make(key)
            elif not request.is_optional:
                raise status_error(
                    Code.INTERNAL,
                    f'Service "{key}", required by node "{node.name}", was not provided and has no '
                    "default: give it with CalculatorGraph(services={...})",
                )
    return services


def _make(key: str) -> Any:
    try:
        return _defaults[key]()
    except StatusError:
        raise
    except Exception as error:
        raise status_error(
            Code.INTERNAL,
            f'the default of service "{key}" could not be made: {type(error).__name__}: {error}',
        ) from error
