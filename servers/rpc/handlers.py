"""How the library calls a service of ours: its methods, and bytes that are no message told apart.

The generated registration lets the library answer such bytes, with a status UNKNOWN and a Python class name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from calcgraph.runtime.errors import RequestError


@dataclass(frozen=True, slots=True)
class Malformed:
    """What came in the place of a message."""

    message: str


def readable(message: Any) -> Any:
    """The message. Raises RequestError if it is none."""
    if type(message) is Malformed:
        raise RequestError(f"The request is no {message.message}: its bytes cannot be read.")
    return message


def handlers_of(service: Any, descriptor: Any, messages: Any) -> grpc.GenericRpcHandler:
    """For `add_generic_rpc_handlers`. `messages` has the message classes by name."""
    return grpc.method_handlers_generic_handler(
        descriptor.full_name,
        {method.name: _handler(service, method, messages) for method in descriptor.methods},
    )


def _handler(service: Any, method: Any, messages: Any) -> Any:
    streams = method.client_streaming and method.server_streaming
    make = grpc.stream_stream_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
    return make(
        getattr(service, method.name),
        request_deserializer=_reader(getattr(messages, method.input_type.name)),
        response_serializer=getattr(messages, method.output_type.name).SerializeToString,
    )


def _reader(kind: Any) -> Callable[[bytes], Any]:
    parse, malformed = kind.FromString, Malformed(kind.DESCRIPTOR.name)

    def read(data: bytes) -> Any:
        try:
            return parse(data)
        except DecodeError:
            return malformed

    return read
