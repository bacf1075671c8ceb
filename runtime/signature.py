"""What a served graph takes and gives: from a request to the packets of its input streams, and back.

A stream carries whole messages if its tag begins with REQUEST or RESPONSE (HTTP_REQUEST, HTTP_RESPONSE
for JSON), or if its reader declares the type of one; all others carry one tensor a packet, as
`packet_kinds` says. So a request of tensors is spread over the streams that its inputs are named for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calcgraph.runtime.errors import (
    Code,
    GraphError,
    Problem,
    RequestError,
    status_error,
)
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.packet_kinds import FORMS, PacketKind, kind_of, written
from calcgraph.runtime.payload import (
    AnyTensor,
    HttpRequest,
    HttpResponse,
    InferRequest,
    InferResponse,
    TensorSpec,
)
from calcgraph.runtime.plan import GraphPlan, Port

Request = HttpRequest | InferRequest
Response = HttpResponse | InferResponse

_PROTOCOLS: Final = {
    HttpRequest: "the OpenAI API",
    InferRequest: "the Open Inference Protocol (KServe v2)",
}
_JSON_TAGS: Final = ("HTTP_REQUEST", "HTTP_RESPONSE")
_MESSAGE_TAGS: Final = ("REQUEST", "RESPONSE", *_JSON_TAGS)
_MESSAGES: Final = (HttpRequest, InferRequest, HttpResponse, InferResponse)

UNKNOWN: Final = "INVALID"
"""OVMS's word for the datatype of a stream of which nothing is known."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """One input or output stream of the graph."""

    name: str
    kind: PacketKind | None
    """None for whole messages."""
    messages: tuple[type, ...] = ()
    """Those that it carries."""
    read: Callable[[AnyTensor], Any] | None = None
    """From a tensor to a payload."""


class Signature:
    """The input and output streams of one graph, worked out once."""

    def __init__(
        self,
        plan: GraphPlan,
        inputs: Sequence[TensorSpec] = (),
        outputs: Sequence[TensorSpec] = (),
        streams: Mapping[str, TensorSpec] | None = None,
    ) -> None:
        """`inputs` and `outputs` are what nodes say of the whole model, `streams` of single streams.

        Raises GraphError for an input stream whose reader wants what no request carries.
        """
        self._inputs = tuple(_input(plan, port) for port in _as_written(plan.input_streams))
        self._outputs = {
            port.name: _output(plan, port) for port in _as_written(plan.output_streams)
        }
        self._protocols = frozenset(kind for kind in _PROTOCOLS if self._takes(kind))
        self._message_only = all(stream.kind is None for stream in self._inputs)
        self._is_described = bool(inputs)
        self.inputs = _specs(self._inputs, inputs, streams or {})
        self.outputs = _specs(tuple(self._outputs.values()), outputs, streams or {})
        self.raw_inputs = frozenset(s.name for s in self._inputs if s.kind and s.kind.raw)
        self._expected = {} if self._message_only else {spec.name: spec for spec in self.inputs}

    def require(self, kind: type[Request], model: str) -> None:
        """Raises FAILED_PRECONDITION if the graph takes no requests of that protocol."""
        if kind not in self._protocols:
            raise RequestError(
                f"The model '{model}' does not speak {_PROTOCOLS[kind]}.",
                param="model",
                code=Code.FAILED_PRECONDITION,
            )

    def _takes(self, kind: type[Request]) -> bool:
        takes = any(kind in stream.messages for stream in self._inputs)
        if kind is HttpRequest:
            return takes and len(self._inputs) == len(self._outputs) == 1
        return takes or any(stream.kind is not None for stream in self._inputs)

    def packets(self, request: Request) -> Sequence[tuple[str, Any]]:
        """Stream and payload for every input stream. Raises RequestError for what is missing or too much."""
        if self._message_only and (self._is_described or isinstance(request, HttpRequest)):
            return [(stream.name, request) for stream in self._inputs]
        assert isinstance(request, InferRequest)
        packets = self.partial_packets(request)
        if len(packets) < len(self._inputs):
            given = {name for name, _ in packets}
            missing = [stream.name for stream in self._inputs if stream.name not in given]
            raise RequestError(
                f"The request has no input {_quoted(missing)}; this model takes "
                f"{_quoted(stream.name for stream in self._inputs)}.",
                param=missing[0],
            )
        return packets

    def partial_packets(self, request: InferRequest) -> Sequence[tuple[str, Any]]:
        """The same for the streams that the request names, at least one."""
        if self._message_only and self._is_described:
            return [(stream.name, request) for stream in self._inputs]
        tensors: dict[str, AnyTensor] = {}
        tensors.update((tensor.name, tensor) for tensor in request.inputs)
        tensors.update((tensor.name, tensor) for tensor in request.raw_inputs)
        self._refuse_unknown(tensors)
        return [
            (stream.name, request if stream.read is None else self._payload(stream, tensor))
            for stream in self._inputs
            if (tensor := tensors.get(stream.name)) is not None
        ]

    def _refuse_unknown(self, tensors: Mapping[str, AnyTensor]) -> None:
        known = [stream.name for stream in self._inputs]
        for name in tensors:
            if name not in known:
                raise RequestError(
                    f"The model has no input '{name:.80}'; it takes {_quoted(known)}"
                    f"{did_you_mean(name, known)}",
                    param=name,
                )

    def _payload(self, stream: _Stream, tensor: AnyTensor) -> Any:
        assert stream.kind is not None and stream.read is not None
        stream.kind.check(tensor)
        if spec := self._expected.get(stream.name):
            _check_spec(tensor, spec)
        return stream.read(tensor)

    def answer(self, payloads: Mapping[str, Any]) -> Response:
        """The answer that one packet of each output stream makes, in the order of the graph's outputs.

        Raises INTERNAL for a payload that is no tensor.
        """
        if len(self._outputs) == 1:
            (name,) = self._outputs
            if isinstance(payloads[name], HttpResponse | InferResponse):
                return payloads[name]  # type: ignore[no-any-return]
        parts = [self.part(name, payloads[name]) for name in self._outputs]
        parameters = {key: value for part in parts for key, value in part.parameters.items()}
        return InferResponse([tensor for part in parts for tensor in part.outputs], parameters)

    def part(self, stream: str, payload: Any) -> InferResponse:
        """What one packet of an output stream is in an answer."""
        if isinstance(payload, InferResponse):
            return payload
        kind = self._outputs[stream].kind
        if kind is None:
            raise status_error(
                Code.INTERNAL,
                f"the graph's output stream '{stream}' has a {type(payload).__name__}; "
                "expected an InferResponse",
            )
        return InferResponse([written(stream, kind, payload)])


def _as_written(ports: Sequence[Port]) -> Sequence[Port]:
    """In the order of the graph file, where it is known: clients are told them so."""
    return sorted(ports, key=lambda port: (port.location.line, port.location.column))


def _input(plan: GraphPlan, port: Port) -> _Stream:
    kinds = _kinds(plan, port)
    if messages := _messages(port, kinds, (HttpRequest, InferRequest)):
        return _Stream(port.name, None, messages)
    kind = kind_of(port.tag)
    form = next((form for form in (kind.form, *FORMS) if _takes(kinds, form)), None)
    if form is None:
        expected = ", ".join(each.__name__ for each in FORMS)
        raise GraphError([Problem(port.location, _no_form(port, kinds, expected))])
    return _Stream(port.name, kind, (), FORMS[form])


def _no_form(port: Port, kinds: Sequence[type] | None, expected: str) -> str:
    found = " | ".join(kind.__name__ for kind in kinds or ())
    return (
        f"input_stream '{port.name}' of the graph is read as {found}, which no request carries; a served "
        f"graph's inputs are HttpRequest, InferRequest or one of {expected}"
    )


def _output(plan: GraphPlan, port: Port) -> _Stream:
    kinds = _kinds(plan, port)
    if messages := _messages(port, kinds, (HttpResponse, InferResponse)):
        return _Stream(port.name, None, messages)
    return _Stream(port.name, kind_of(port.tag))


def _kinds(plan: GraphPlan, port: Port) -> tuple[type, ...] | None:
    """The Python types of a stream's payloads, None for any."""
    declared = plan.streams[port.name].type
    return declared if declared is None or isinstance(declared, tuple) else (declared,)


def _messages(
    port: Port, kinds: tuple[type, ...] | None, both: tuple[type, type]
) -> tuple[type, ...]:
    """Which messages a stream carries: HTTP's, KServe's, both or none."""
    http, infer = both
    if kinds is not None:
        return tuple(each for each in both if _takes(kinds, each)) if _names_one(kinds) else ()
    if port.tag.startswith(_JSON_TAGS):
        return (http,)
    return (infer,) if port.tag.startswith(_MESSAGE_TAGS) else ()


def _names_one(kinds: Sequence[type]) -> bool:
    return any(issubclass(kind, _MESSAGES) for kind in kinds)


def _takes(kinds: tuple[type, ...] | None, form: type) -> bool:
    return kinds is None or issubclass(form, kinds)


def _specs(
    streams: Sequence[_Stream],
    said: Sequence[TensorSpec],
    by_stream: Mapping[str, TensorSpec],
) -> Sequence[TensorSpec]:
    """What clients are told: of a model that takes whole messages what its nodes say, else each stream."""
    if said and all(stream.kind is None for stream in streams):
        return said
    by_name = {spec.name: spec for spec in said}
    return tuple(
        _spec(stream, by_stream.get(stream.name) or by_name.get(stream.name)) for stream in streams
    )


def _spec(stream: _Stream, known: TensorSpec | None) -> TensorSpec:
    if known is not None:
        return TensorSpec(stream.name, known.datatype, tuple(known.shape))
    if stream.kind is not None and stream.kind.datatype:
        return TensorSpec(stream.name, stream.kind.datatype, (-1,))
    return TensorSpec(stream.name, UNKNOWN, ())


def _check_spec(tensor: AnyTensor, spec: TensorSpec) -> None:
    if spec.datatype not in (UNKNOWN, tensor.datatype):
        raise RequestError(
            f"Input '{tensor.name}' has the datatype {tensor.datatype}; this model takes {spec.datatype}.",
            param=tensor.name,
        )
    if spec.datatype == UNKNOWN or not spec.shape or spec.datatype == "BYTES":
        return
    fits = len(tensor.shape) == len(spec.shape) and all(
        expected in (-1, found) for found, expected in zip(tensor.shape, spec.shape, strict=True)
    )
    if not fits:
        raise RequestError(
            f"Input '{tensor.name}' has the shape {list(tensor.shape)}; this model takes "
            f"{list(spec.shape)}, where -1 is any size.",
            param=tensor.name,
        )


def _quoted(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
