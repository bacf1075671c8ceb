"""What is fuzzed: each target takes any bytes, and raises nothing but what it ought to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError

from calcgraph.calculators import kserve_dialect, openai_dialect, tokenize_dialect
from calcgraph.calculators.rerank import cohere_dialect, tensor_dialect
from calcgraph.proto import inference_pb2 as pb
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.errors import GraphError, RequestError
from calcgraph.runtime.payload import HttpRequest, InferRequest
from calcgraph.runtime.validation import plan_graph
from calcgraph.servers.rest.binary_tail import split
from calcgraph.servers.rest.json_tensors import read_infer as read_rest
from calcgraph.servers.rest.requests import parse_json
from calcgraph.servers.rpc.messages import read_infer as read_grpc

MODEL: Final = "fuzzed"
MOST: Final = 100


def graph(data: bytes) -> None:
    """A graph.pbtxt: parsed, validated, planned."""
    with suppress(GraphError, UnicodeDecodeError):
        plan_graph(read_graph(data.decode(), "graph.pbtxt"))


def openai(data: bytes) -> None:
    """A JSON body, read as every endpoint of OpenAI's and Cohere's API reads it."""
    try:
        body = parse_json(data)
    except RequestError:
        return
    request = HttpRequest("/v3/embeddings", body)
    for read in _DIALECTS:
        with suppress(RequestError):
            read(request, MOST)


_DIALECTS: Final[tuple[Callable[[HttpRequest, int], object], ...]] = (
    openai_dialect.read,
    tokenize_dialect.read_tokenize,
    tokenize_dialect.read_detokenize,
    cohere_dialect.read,
)


def infer_rest(data: bytes) -> None:
    """The header of the binary tensor extension (may be empty) up to a line feed, and the body."""
    header, _, body = data.partition(b"\n")
    with suppress(RequestError):
        json, tail = split(body, header.decode("latin-1") or None)
        _as_models_do(read_rest(MODEL, parse_json(json), tail, {}).request)


def infer_grpc(data: bytes) -> None:
    """A serialized ModelInferRequest."""
    try:
        message = pb.ModelInferRequest.FromString(data)
    except DecodeError:
        return
    with suppress(RequestError):
        _as_models_do(read_grpc(message, {}))


def _as_models_do(request: InferRequest) -> None:
    with suppress(RequestError):
        kserve_dialect.read(request)
    with suppress(RequestError):
        tensor_dialect.read(request, MOST)


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    target.__name__: target for target in (graph, openai, infer_rest, infer_grpc)
}
