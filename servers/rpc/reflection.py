"""gRPC server reflection, v1 and v1alpha: which services there are and what their messages look like.

The library's own service knows v1alpha only; the two versions differ in nothing but their name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import grpc

from calcgraph.proto import reflection_pb2 as pb
from calcgraph.proto.pool import POOL
from calcgraph.runtime.errors import Code

NAMES: Final = (
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
)


class Reflection:
    """Answers from the pool that holds this project's messages."""

    def __init__(self, services: tuple[str, ...]) -> None:
        self._services = sorted((*services, *NAMES))
        self._answers: Mapping[str, Callable[[Any], dict[str, Any]]] = {
            "file_by_filename": lambda name: _files(POOL.FindFileByName(name)),
            "file_containing_symbol": lambda name: _files(POOL.FindFileContainingSymbol(name)),
            "file_containing_extension": _file_of_extension,
            "all_extension_numbers_of_type": _extension_numbers,
            "list_services": self._list,
        }

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """For `add_generic_rpc_handlers`."""
        method = grpc.stream_stream_rpc_method_handler(
            self._info,
            request_deserializer=pb.ServerReflectionRequest.FromString,
            response_serializer=pb.ServerReflectionResponse.SerializeToString,
        )
        return tuple(
            grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method})
            for name in NAMES
        )

    async def _info(
        self, requests: AsyncIterator[pb.ServerReflectionRequest], _: Any
    ) -> AsyncIterator[pb.ServerReflectionResponse]:
        async for request in requests:
            yield pb.ServerReflectionResponse(
                valid_host=request.host, original_request=request, **self._answer(request)
            )

    def _answer(self, request: pb.ServerReflectionRequest) -> dict[str, Any]:
        asked = request.WhichOneof("message_request")
        if asked is None:
            return _error(Code.INVALID_ARGUMENT, "the request asks for nothing")
        try:
            return self._answers[asked](getattr(request, asked))
        except KeyError as error:
            return _error(Code.NOT_FOUND, str(error.args[0]))

    def _list(self, _: str) -> dict[str, Any]:
        services = [pb.ServiceResponse(name=name) for name in self._services]
        return {"list_services_response": pb.ListServiceResponse(service=services)}


def _files(file: Any) -> dict[str, Any]:
    """A file and all that it imports, each once."""
    found: dict[str, Any] = {}
    todo = [file]
    while todo:
        each = todo.pop()
        if each.name not in found:
            found[each.name] = each
            todo += each.dependencies
    serialized = [each.serialized_pb for each in found.values()]
    return {"file_descriptor_response": pb.FileDescriptorResponse(file_descriptor_proto=serialized)}


def _file_of_extension(asked: pb.ExtensionRequest) -> dict[str, Any]:
    message = POOL.FindMessageTypeByName(asked.containing_type)
    extension = POOL.FindExtensionByNumber(message, asked.extension_number)
    return _files(POOL.FindFileContainingSymbol(extension.full_name))


def _extension_numbers(name: str) -> dict[str, Any]:
    message = POOL.FindMessageTypeByName(name)
    numbers = sorted(each.number for each in POOL.FindAllExtensions(message))
    response = pb.ExtensionNumberResponse(base_type_name=name, extension_number=numbers)
    return {"all_extension_numbers_response": response}


def _error(code: Code, message: str) -> dict[str, Any]:
    return {"error_response": pb.ErrorResponse(error_code=code, error_message=message)}
