"""The Open Inference Protocol (KServe v2) over gRPC: each call translated for the data plane."""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, TypeVar

import grpc

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceServicer
from calcgraph.runtime.errors import Code
from calcgraph.servers import product
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.errors import answer_to
from calcgraph.servers.rpc.messages import read_infer, write_infer, write_metadata

_STATUS: Final = {Code(status.value[0]): status for status in grpc.StatusCode}
_PROCESS: Final = os.urandom(6).hex()
_calls: Final = itertools.count(1)

Request = TypeVar("Request")
Response = TypeVar("Response")
Method = Callable[["InferenceService", Request, Any], Awaitable[Response]]


def _answering(method: Method[Request, Response]) -> Method[Request, Response]:
    """Any error becomes a status with its sentence."""

    @wraps(method)
    async def answer(self: InferenceService, request: Request, context: Any) -> Response:
        try:
            return await method(self, request, context)
        except Exception as error:
            told = answer_to(error, _request_id(context))
            metadata = tuple((name.lower(), value) for name, value in told.headers.items())
            await context.abort(_STATUS[told.code], told.message, metadata)
            raise  # never reached: abort raises

    return answer


def _request_id(context: Any) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == "x-request-id":
            return str(value)
    return f"{_PROCESS}-g{next(_calls):x}"


def _metadata(context: Any) -> dict[str, str]:
    """What came with the call; binary values are nothing to us."""
    return {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}


class InferenceService(GRPCInferenceServiceServicer):
    """The calls that are not here answer UNIMPLEMENTED."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def ServerLive(
        self, request: pb.ServerLiveRequest, context: Any
    ) -> pb.ServerLiveResponse:
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(
        self, request: pb.ServerReadyRequest, context: Any
    ) -> pb.ServerReadyResponse:
        return pb.ServerReadyResponse(ready=self._plane.ready)

    async def ServerMetadata(
        self, request: pb.ServerMetadataRequest, context: Any
    ) -> pb.ServerMetadataResponse:
        return pb.ServerMetadataResponse(
            name=product.NAME, version=product.VERSION, extensions=product.EXTENSIONS
        )

    @_answering
    async def ModelReady(
        self, request: pb.ModelReadyRequest, context: Any
    ) -> pb.ModelReadyResponse:
        return pb.ModelReadyResponse(ready=self._plane.is_ready(request.name, request.version))

    @_answering
    async def ModelMetadata(
        self, request: pb.ModelMetadataRequest, context: Any
    ) -> pb.ModelMetadataResponse:
        return write_metadata(await self._plane.metadata(request.name, request.version))

    @_answering
    async def ModelInfer(
        self, request: pb.ModelInferRequest, context: Any
    ) -> pb.ModelInferResponse:
        raw_inputs = await self._plane.raw_inputs(request.model_name, request.model_version)
        call = read_infer(request, _metadata(context), raw_inputs)
        return write_infer(call, await self._plane.infer(call.model, call, request.model_version))
