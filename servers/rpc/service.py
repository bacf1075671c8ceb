"""The Open Inference Protocol (KServe v2) over gRPC: each call translated for the data plane."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import wraps
from typing import Any, Final, TypeVar

import grpc

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceServicer
from calcgraph.runtime.errors import Code
from calcgraph.servers import product
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.errors import answer_to
from calcgraph.servers.model_control import ModelControl
from calcgraph.servers.observation.exchange import Method as ModelMethod
from calcgraph.servers.observation.exchange import Surface, current
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.rpc.handlers import readable
from calcgraph.servers.rpc.messages import read_infer, write_infer, write_metadata
from calcgraph.servers.rpc.stream import infer_stream

_STATUS: Final = {Code(status.value[0]): status for status in grpc.StatusCode}
_METHODS: Final = {
    method.value: method
    for method in (ModelMethod.MODEL_INFER, ModelMethod.MODEL_METADATA, ModelMethod.MODEL_READY)
}
"""What a call asks of the model that its request names; a stream names it later."""

Request = TypeVar("Request")
Response = TypeVar("Response")
Method = Callable[["InferenceService", Request, Any], Awaitable[Response]]


def _answering(method: Method[Request, Response]) -> Method[Request, Response]:
    """A call of a model is observed, and any error becomes a status with its sentence."""
    name = method.__name__
    about = _METHODS.get(name)

    @wraps(method)
    async def answer(self: InferenceService, request: Any, context: Any) -> Response:
        metadata = _metadata(context)
        with self._observation.exchange(Surface.KSERVE_GRPC, name, metadata) as exchange:
            try:
                readable(request)
                if about is not None:
                    exchange.is_about(_model(request), about)
                response = await method(self, request, context)
                context.set_trailing_metadata(_trailing(exchange.told()))
                return response
            except Exception as error:
                told = exchange.failure = answer_to(error, exchange.request_id)
        # Outside, so that all is counted before the caller has its answer.
        trailing = _trailing({**told.headers, **exchange.told()})
        await context.abort(_STATUS[told.code], told.message, trailing)
        raise AssertionError("abort raises")

    return answer


def _trailing(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key.lower(), value) for key, value in headers.items())


def _model(request: Any) -> str:
    name: str = request.model_name if hasattr(request, "model_name") else request.name
    return name


def _metadata(context: Any) -> dict[str, str]:
    """What came with the call; binary values are nothing to us."""
    return {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}


def _headers() -> Mapping[str, str]:
    """The metadata of the call that is answered here."""
    exchange = current()
    assert exchange is not None
    return exchange.headers


class InferenceService(GRPCInferenceServiceServicer):
    """Each call of the protocol; those that are not here answer UNIMPLEMENTED."""

    def __init__(self, plane: DataPlane, control: ModelControl, observation: Observation) -> None:
        self._plane = plane
        self._control = control
        self._observation = observation

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
            name=product.NAME,
            version=product.VERSION,
            extensions=product.extensions(self._control.enabled),
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
        call = read_infer(request, _headers(), raw_inputs)
        response = await self._plane.infer(call.model, call, request.model_version)
        return write_infer(call.model, call.id, response)

    @_answering
    async def ModelStreamInfer(
        self, requests: AsyncIterator[pb.ModelInferRequest], context: Any
    ) -> None:
        await infer_stream(self._plane, requests, context, _headers())

    @_answering
    async def RepositoryIndex(
        self, request: pb.RepositoryIndexRequest, context: Any
    ) -> pb.RepositoryIndexResponse:
        entries = self._control.index(ready=request.ready)
        index = pb.RepositoryIndexResponse.ModelIndex
        return pb.RepositoryIndexResponse(models=[index(**asdict(entry)) for entry in entries])

    @_answering
    async def RepositoryModelLoad(
        self, request: pb.RepositoryModelLoadRequest, context: Any
    ) -> pb.RepositoryModelLoadResponse:
        name = _model_of(request)
        await self._control.load(name, request.parameters)
        return pb.RepositoryModelLoadResponse(model_name=name, isLoaded=True)

    @_answering
    async def RepositoryModelUnload(
        self, request: pb.RepositoryModelUnloadRequest, context: Any
    ) -> pb.RepositoryModelUnloadResponse:
        name = _model_of(request)
        await self._control.unload(name)
        return pb.RepositoryModelUnloadResponse(model_name=name, isUnloaded=True)


def _model_of(request: pb.RepositoryModelLoadRequest | pb.RepositoryModelUnloadRequest) -> str:
    """KServe's clients have the model's name where Triton's have the repository's."""
    return str(request.model_name or request.repository_name)
