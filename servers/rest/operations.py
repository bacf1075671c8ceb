"""Every endpoint as a client sees it: method, path, what goes in, what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from msgspec import Struct

from calcgraph.servers.observation.exchange import Surface
from calcgraph.servers.rest import schema

PREFIXES: Final = ("/v3", "/v1", "/v3/v1")
"""OpenAI's API is served below each: OVMS's, OpenAI's, and OVMS's for clients that add /v1 themselves."""

COHERE_V2: Final = ("/v2/rerank", "/v3/v2/rerank")
"""Cohere's client asks its base URL for /v2/rerank; all else under /v2 is KServe's."""

_ALWAYS: Final = frozenset({400, 500})
_WITH_BODY: Final = frozenset({413, 415})
_ON_MODEL: Final = frozenset({404, 503})
_INFERENCE: Final = _WITH_BODY | _ON_MODEL | {409, 412, 429, 501, 504}
_RAW: Final = ("application/octet-stream", "application/x-npy")


def is_kserve(path: str) -> bool:
    """Whether a path belongs to the Open Inference Protocol, whose errors are plain strings."""
    path = path.rstrip("/")
    return (path == "/v2" or path.startswith("/v2/")) and path not in COHERE_V2


def rest_surface(path: str) -> Surface:
    """The dialect that a path belongs to."""
    if is_kserve(path):
        return Surface.KSERVE_REST
    if path.startswith(PREFIXES) or path in COHERE_V2:
        return Surface.OPENAI
    return Surface.OTHER


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint, for the OpenAPI document. `{model}` in a path is a served model's name."""

    method: str
    path: str
    summary: str
    answer: Any
    """The type of a 200's JSON body."""
    request: type[Struct] | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    """A body that works, without the model's name."""
    errors: frozenset[int] = frozenset()
    also: Mapping[int, Any] = field(default_factory=dict)
    """Types of bodies by status, where not every error has the dialect's."""
    media_type: str = "application/json"
    """Of a 200."""
    raw: Sequence[str] = ()
    """Media types of answers that are not JSON, for those who ask for them."""

    @property
    def tag(self) -> str:
        if self.path in ("/v1/config", "/v1/config/reload", "/metrics"):
            return "Operation"
        return "KServe v2" if is_kserve(self.path) else "OpenAI"

    @property
    def statuses(self) -> frozenset[int]:
        """Every status but 200 that it answers with."""
        return self.errors | _ALWAYS


_RERANK: Final = Operation(
    "POST",
    "/rerank",
    "Documents in the order of their relevance to a query",
    schema.Reranked,
    schema.RerankRequest,
    {"query": "who lives in water?", "documents": ["fish do", "birds do not"]},
    _INFERENCE,
)

_OPENAI: Final = (
    Operation(
        "POST",
        "/embeddings",
        "Vectors of texts",
        schema.Embeddings,
        schema.EmbeddingsRequest,
        {"input": "hello world"},
        _INFERENCE,
        raw=_RAW,
    ),
    Operation(
        "POST",
        "/tokenize",
        "Token ids of texts",
        schema.Tokenized,
        schema.TokenizeRequest,
        {"text": "hello world"},
        _INFERENCE,
    ),
    Operation(
        "POST",
        "/detokenize",
        "Texts of token ids",
        schema.Detokenized,
        schema.DetokenizeRequest,
        {"tokens": [101, 7592, 2088, 102]},
        _INFERENCE,
    ),
    _RERANK,
    Operation("GET", "/models", "The models that are ready", schema.Models),
    Operation(
        "GET",
        "/models/{model}",
        "One model, and what a client needs to use it",
        schema.Model,
        errors=_ON_MODEL,
    ),
)

_KSERVE: Final = (
    Operation("GET", "/v2", "Name, version and extensions of the server", schema.ServerMetadata),
    Operation("GET", "/v2/health/live", "The server runs", schema.Live),
    Operation(
        "GET",
        "/v2/health/ready",
        "Every model answers",
        schema.Ready,
        errors=frozenset({503}),
        also={503: schema.Ready},
    ),
    Operation("GET", "/v2/models", "The names of the models", schema.ModelNames),
)

# Each is served for the model and for one version of it.
_KSERVE_MODEL: Final = (
    Operation("GET", "", "Inputs and outputs of a model", schema.ModelMetadata, errors=_ON_MODEL),
    Operation(
        "GET",
        "/ready",
        "Whether a model answers",
        schema.ModelReady,
        errors=_ON_MODEL,
        also={503: schema.ModelReady},
    ),
    Operation(
        "POST",
        "/infer",
        "Inference on tensors",
        schema.InferResponse,
        schema.InferRequest,
        {"inputs": [{"name": "input", "datatype": "BYTES", "shape": [1], "data": ["hello world"]}]},
        _INFERENCE,
        raw=_RAW[:1],
    ),
)

# Served when the repository extension is on.
_REPOSITORY: Final = (
    Operation(
        "POST",
        "/v2/repository/index",
        "Every version of every model, and its state",
        list[schema.RepositoryModel],
        schema.RepositoryIndexRequest,
        {"ready": False},
        _WITH_BODY,
    ),
    Operation(
        "POST",
        "/v2/repository/models/{model}/load",
        "Load a model as its files are now",
        schema.ModelLoaded,
        schema.RepositoryRequest,
        errors=_WITH_BODY | {404, 501},
    ),
    Operation(
        "POST",
        "/v2/repository/models/{model}/unload",
        "Free a model once what runs in it has ended",
        schema.ModelUnloaded,
        schema.RepositoryRequest,
        errors=_WITH_BODY | {404, 501},
    ),
)

_OVMS: Final = (
    Operation(
        "GET",
        "/v1/config",
        "The state of every configured model, as OVMS tells it",
        dict[str, schema.ConfigStatus],
    ),
    Operation(
        "POST",
        "/v1/config/reload",
        "Serve what the files say now: 200 when that is what was served, 201 when something changed",
        dict[str, schema.ConfigStatus],
        errors=frozenset({201, 412}),
        also={201: dict[str, schema.ConfigStatus], 412: schema.ReloadFailed},
    ),
    Operation(
        "GET",
        "/metrics",
        "Metrics for Prometheus",
        str,
        media_type="text/plain",
        raw=("application/openmetrics-text",),
    ),
)


def operations(*, repository: bool = False) -> Iterator[Operation]:
    """All of them, under every prefix; those of the repository extension if it is on."""
    for prefix in PREFIXES:
        for operation in _OPENAI:
            yield replace(operation, path=prefix + operation.path)
    for path in COHERE_V2:
        yield replace(_RERANK, path=path)
    yield from _OVMS
    yield from _KSERVE
    if repository:
        yield from _REPOSITORY
    for prefix in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        for operation in _KSERVE_MODEL:
            yield replace(operation, path=prefix + operation.path)
