"""The guard before every gRPC call, whatever service it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from calcgraph.runtime.errors import RequestError
from calcgraph.servers.auth.guard import Guard
from calcgraph.servers.auth.scopes import is_rpc_health, rpc_scope
from calcgraph.servers.errors import answer_to
from calcgraph.servers.observation.exchange import Surface
from calcgraph.servers.observation.observation import Observation


class GuardInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Refuses before the call's message is read."""

    def __init__(self, guard: Guard, observation: Observation) -> None:
        self._guard = guard
        self._observation = observation

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: Any
    ) -> Any:
        metadata = dict(details.invocation_metadata or ())
        method: str = details.method
        try:
            self._guard.check(
                metadata.get("authorization"), rpc_scope(method), health=is_rpc_health(method)
            )
        except RequestError as error:
            name = method.rpartition("/")[2]
            with self._observation.exchange(Surface.KSERVE_GRPC, name, metadata) as exchange:
                exchange.failure = answer_to(error, exchange.request_id)
            return _refusing(error)
        return await continuation(details)


def _refusing(error: RequestError) -> Any:
    """A handler of any call: on the wire a stream is no other than the one message of a plain call."""
    status = {each.value[0]: each for each in grpc.StatusCode}[error.code.value]

    async def refuse(_: Any, context: Any) -> None:
        await context.abort(status, error.message)

    return grpc.stream_stream_rpc_method_handler(refuse)
