"""ModelStreamInfer: requests in, answers out, both at once, on a graph that belongs to the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final

from calcgraph.proto import inference_pb2 as pb
from calcgraph.runtime.errors import RequestError
from calcgraph.servers.data_plane import DataPlane, ModelStream
from calcgraph.servers.observation.exchange import Method, about
from calcgraph.servers.rpc.handlers import readable
from calcgraph.servers.rpc.messages import read_infer, read_parameters, write_infer

_ERRORS_END: Final = "triton_grpc_error"
"""With this metadata a bad request ends the stream with its status, as Triton has it."""


async def infer_stream(
    plane: DataPlane,
    requests: AsyncIterator[pb.ModelInferRequest],
    context: Any,
    metadata: Mapping[str, str],
) -> None:
    """Serve one call to its end. The first request names the model. Raises what ends the stream early."""
    first = readable(await anext(aiter(requests), None))
    if first is None:
        return
    about(first.model_name, Method.MODEL_INFER_STREAM)
    parameters = read_parameters(first.parameters)
    async with plane.stream(first.model_name, parameters, first.model_version) as stream:
        call = _Call(stream, context, metadata)
        reader = asyncio.create_task(call.read(first, requests))
        try:
            await call.write()
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader


class _Call:
    """One running stream."""

    def __init__(self, stream: ModelStream, context: Any, metadata: Mapping[str, str]) -> None:
        self._stream = stream
        self._context = context
        self._metadata = metadata
        self._errors_end = metadata.get(_ERRORS_END, "").lower() == "true"
        self._writes = asyncio.Lock()

    async def read(
        self, first: pb.ModelInferRequest, requests: AsyncIterator[pb.ModelInferRequest]
    ) -> None:
        """Feed the graph until the client has sent its last request."""
        try:
            await self._feed(first)
            async for message in requests:
                await self._feed(message)
            self._stream.session.end()
        except Exception as error:  # whatever it is, nobody may wait for answers any longer
            self._stream.session.fail(error)

    async def _feed(self, message: pb.ModelInferRequest) -> None:
        try:
            readable(message)
            self._stream.check(message.model_name, message.model_version)
            request = read_infer(message, self._metadata, self._stream.raw_inputs)
            await self._stream.add(request)
        except RequestError as error:
            if self._errors_end:
                self._stream.session.fail(error)
            else:
                await self._send(pb.ModelStreamInferResponse(error_message=error.message))

    async def write(self) -> None:
        """Send the graph's answers until it is done."""
        async with aclosing(self._stream.session.answers()) as answers:
            async for answer in answers:
                response = self._stream.versioned(answer)
                message = write_infer(self._stream.name, answer.id, response)
                await self._send(pb.ModelStreamInferResponse(infer_response=message))

    async def _send(self, message: pb.ModelStreamInferResponse) -> None:
        async with self._writes:  # gRPC takes one message at a time
            await self._context.write(message)
