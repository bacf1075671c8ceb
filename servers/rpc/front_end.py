"""The gRPC server: inference, health and reflection on the event loop that REST uses too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc.aio

from calcgraph.proto import inference_pb2
from calcgraph.proto.health_pb2_grpc import add_HealthServicer_to_server
from calcgraph.servers.addresses import bind_error, cannot_listen, join
from calcgraph.servers.auth.flags import Security
from calcgraph.servers.auth.interceptor import GuardInterceptor
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.limits.transfer import TransferLimits
from calcgraph.servers.model_control import ModelControl
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.rpc.handlers import handlers_of
from calcgraph.servers.rpc.health import Health
from calcgraph.servers.rpc.reflection import Reflection
from calcgraph.servers.rpc.service import InferenceService
from calcgraph.servers.tls import grpc_credentials

_CHANNEL_OPTIONS: Final[Mapping[str, int]] = {
    # Without it a second server on an occupied port starts, and takes half of the connections.
    "grpc.so_reuseport": 0,
    # The default of 4 MiB refuses answers that clients have asked for.
    "grpc.max_send_message_length": -1,
    # A client that pings an idle connection every few seconds is not attacking.
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.http2.min_recv_ping_interval_without_data_ms": 5000,
    "grpc.http2.max_ping_strikes": 0,
}

_INFERENCE: Final = "inference.GRPCInferenceService"
_HEALTH: Final = "grpc.health.v1.Health"


class GrpcFrontEnd:
    """Serves a data plane over gRPC until stopped."""

    def __init__(
        self,
        plane: DataPlane,
        *,
        drain_s: float,
        channel_options: Mapping[str, str | int] | None = None,
        transfer: TransferLimits | None = None,
        security: Security | None = None,
        observation: Observation | None = None,
        model_control: bool = False,
    ) -> None:
        self._drain_s = drain_s
        transfer = transfer or TransferLimits()
        limits = {"grpc.max_receive_message_length": transfer.message_bytes}
        options = {**_CHANNEL_OPTIONS, **limits, **(channel_options or {})}
        security = security or Security()
        observation = observation or Observation(plane)
        self._tls = security.tls
        self._server = grpc.aio.server(
            interceptors=[GuardInterceptor(security.guard, observation)],
            options=list(options.items()),
            maximum_concurrent_rpcs=transfer.calls,
        )
        control = ModelControl(plane, enabled=model_control)
        self._add_services(plane, control, observation)

    def _add_services(
        self, plane: DataPlane, control: ModelControl, observation: Observation
    ) -> None:
        service = InferenceService(plane, control, observation)
        descriptor = inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
        inference = handlers_of(service, descriptor, inference_pb2)
        add_HealthServicer_to_server(  # type: ignore[no-untyped-call]
            Health(plane, (_INFERENCE,)), self._server
        )
        reflection = Reflection((_INFERENCE, _HEALTH))
        self._server.add_generic_rpc_handlers((inference, *reflection.handlers()))

    async def start(self, host: str, port: int) -> str:
        """Listen, and return host:port. Port 0 takes a free one. Raises StatusError when it cannot."""
        try:
            bound = self._bind(join(host, port))
        except RuntimeError:
            raise cannot_listen("gRPC", "--port", host, port, bind_error(host, port)) from None
        await self._server.start()
        return join(host, bound)

    def _bind(self, address: str) -> int:
        if self._tls is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, grpc_credentials(self._tls)))

    async def stop(self) -> None:
        """Stop accepting, let running calls end for `drain_s` seconds, cancel the rest."""
        await self._server.stop(self._drain_s)
