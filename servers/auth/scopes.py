"""What a key may allow, and which of it each endpoint asks for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Scope(Enum):
    """What a key allows; the names are those of the key file."""

    INFER = "infer"
    """Everything that is not below: inference, and what models say of themselves."""
    ADMIN = "admin"
    """The state of the configuration, and everything that changes what is served."""
    METRICS = "metrics"
    """The numbers that Prometheus collects."""


_ADMIN: Final = ("/v1/config", "/v2/repository")
_METRICS: Final = ("/metrics",)
HEALTH: Final = ("/v2/health/live", "/v2/health/ready")
"""What a probe asks. The readiness of one model is not among them: it tells names."""

_SERVICE: Final = "/inference.GRPCInferenceService/"
_RPC_SCOPES: Final[Mapping[str, Scope]] = {
    f"{_SERVICE}{call}": Scope.ADMIN
    for call in ("RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload")
}
_RPC_HEALTH: Final = (
    f"{_SERVICE}ServerLive",
    f"{_SERVICE}ServerReady",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.health.v1.Health/List",
)


def rest_scope(path: str) -> Scope:
    """What a URL path asks for, known or not: no path can be found without a key."""
    if _within(path, _ADMIN):
        return Scope.ADMIN
    return Scope.METRICS if _within(path, _METRICS) else Scope.INFER


def is_rest_health(path: str) -> bool:
    return path.rstrip("/") in HEALTH


def rpc_scope(method: str) -> Scope:
    """What a gRPC method, written /package.Service/Method, asks for."""
    return _RPC_SCOPES.get(method, Scope.INFER)


def is_rpc_health(method: str) -> bool:
    return method in _RPC_HEALTH


def _within(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)
