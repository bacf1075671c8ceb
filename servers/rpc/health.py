"""grpc.health.v1: what Kubernetes' gRPC probes and load balancers ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc

from calcgraph.proto import health_pb2 as pb
from calcgraph.proto.health_pb2_grpc import HealthServicer
from calcgraph.servers.data_plane import DataPlane

_LOOKS_EVERY_S: Final = 1.0


class Health(HealthServicer):
    """The server serves when all its models are ready; so does each of its services."""

    def __init__(self, plane: DataPlane, services: tuple[str, ...]) -> None:
        self._plane = plane
        self._services = ("", *services)

    async def Check(self, request: pb.HealthCheckRequest, context: Any) -> pb.HealthCheckResponse:
        if request.service not in self._services:
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f"there is no service '{request.service:.80}'"
            )
        return self._status(request.service)

    async def List(self, request: pb.HealthListRequest, context: Any) -> pb.HealthListResponse:
        return pb.HealthListResponse(
            statuses={service: self._status(service) for service in self._services}
        )

    async def Watch(
        self, request: pb.HealthCheckRequest, context: Any
    ) -> AsyncIterator[pb.HealthCheckResponse]:
        """Now, and whenever it changes, until the client leaves."""
        told = None
        while True:
            status = self._status(request.service)
            if status != told:
                yield status
                told = status
            await asyncio.sleep(_LOOKS_EVERY_S)

    def _status(self, service: str) -> pb.HealthCheckResponse:
        if service not in self._services:
            return pb.HealthCheckResponse(status=pb.HealthCheckResponse.SERVICE_UNKNOWN)
        serving, not_serving = (
            pb.HealthCheckResponse.SERVING,
            pb.HealthCheckResponse.NOT_SERVING,
        )
        return pb.HealthCheckResponse(status=serving if self._plane.ready else not_serving)
