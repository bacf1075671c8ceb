"""The ways to put a request to a server: HTTP/1.1, and KServe's gRPC."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from calcgraph.tools.bench.http1 import Connection, Reply, Target

ANSWER_LIMIT_S: Final = 600.0
"""No answer for this long is a failure. Nothing ever waits for ever."""
OK: Final = 200
_INFER: Final = "/inference.GRPCInferenceService/ModelInfer"
_UNLIMITED: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class Way(Protocol):
    """Takes whole requests, as many at a time as its caller likes."""

    async def send(self, request: bytes) -> Reply:
        """Raises OSError when the request is not answered."""

    async def close(self) -> None: ...


class Http:
    """Keeps the connections that are idle, and opens one more when none is."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._idle: list[Connection] = []

    async def send(self, request: bytes) -> Reply:
        connection = await self._connection()
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reply = await connection.ask(request)
        except BaseException:
            connection.close()
            raise
        if connection.usable:
            self._idle.append(connection)
        return reply

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return await Connection.connect(self._target)


class Grpc:
    """All requests on one channel, as serialized ModelInferRequests. Ten times dearer than Http."""

    def __init__(self, address: str) -> None:
        import grpc  # takes 0.1 s and a few threads, which HTTP does without

        self._error: type[Any] = grpc.aio.AioRpcError
        self._channel = grpc.aio.insecure_channel(address, options=_UNLIMITED)
        self._infer = self._channel.unary_unary(_INFER)

    async def send(self, request: bytes) -> Reply:
        try:
            return Reply(OK, await self._infer(request, timeout=ANSWER_LIMIT_S))
        except self._error as error:
            raise ConnectionError(f"{error.code().name} {error.details()}") from None

    async def close(self) -> None:
        await self._channel.close()
