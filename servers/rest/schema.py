"""The JSON bodies of the REST API, as types: what the OpenAPI document is generated from.

They describe and do not parse: the calculators' dialects read requests, and give better sentences than a
schema could. That the two agree is tested (tests/e2e/test_schemathesis.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

_INT64 = 2**63 - 1


def live(component: str, description: str) -> Meta:
    """A member whose values depend on the models that are served: a component made per server."""
    schema = {"$ref": f"#/components/schemas/{component}"}
    return Meta(description=description, extra_json_schema=schema)


Positive = Annotated[int, Meta(ge=1, le=_INT64)]
Natural = Annotated[int, Meta(ge=0, le=_INT64)]
ModelName = Annotated[str, live("ModelName", "The name of a served model.")]

_Tokens: dict[str, Any] = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": _INT64},
    "minItems": 1,
}
_Texts: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "maxItems": 2048,
}
_ListsOfTokens: dict[str, Any] = {
    "type": "array",
    "items": _Tokens,
    "minItems": 1,
    "maxItems": 2048,
}


def one_of(*schemas: dict[str, Any]) -> dict[str, Any]:
    """What msgspec's unions cannot say: several kinds of arrays."""
    return {"anyOf": list(schemas)}


_Text: dict[str, Any] = {"type": "string"}


class EmbeddingsRequest(Struct):
    """Texts, or the served model's own token ids. Members that are not listed are ignored; null is absent."""

    model: ModelName
    input: Annotated[
        Any,
        Meta(
            description="A text, texts, token ids, or lists of token ids; all of one kind.",
            extra_json_schema=one_of(_Text, _Texts, _Tokens, _ListsOfTokens),
            examples=["hello world", ["a happy person", "a very happy person"]],
        ),
    ]
    encoding_format: Annotated[
        Literal["float", "base64"] | None,
        Meta(description="base64 is little-endian float32: smaller and exact. float by default."),
    ] = None
    dimensions: Annotated[
        int | None,
        live("Dimensions", "Keep this many leading numbers, at unit length again."),
    ] = None
    user: Annotated[Any, Meta(description="Ignored, for OpenAI's clients.")] = None
    embedding_types: Annotated[
        Annotated[list[Literal["float", "int8", "binary", "ubinary"]], Meta(min_length=1)] | None,
        Meta(description="Each `embedding` becomes an object with these forms of the vector."),
    ] = None
    overflow: Annotated[
        str | None,
        Meta(
            description="Too long an input: `error` refuses, `truncate` or `truncate_left` cuts, `chunk` "
            "averages windows of it."
        ),
    ] = None
    truncate: Annotated[
        Any, Meta(description="The same as true or false, or Cohere's NONE, START, END.")
    ] = None
    truncate_prompt_tokens: Annotated[
        int | None, Meta(description="Cut to this many tokens; -1 is the model's limit.")
    ] = None
    truncation_side: Annotated[str | None, Meta(description="left or right")] = None
    chunk_overlap: Annotated[
        Natural | None, Meta(description="Tokens that neighbouring windows share.")
    ] = None
    prompt_name: Annotated[
        str | None, Meta(description="One of the model's prompts, written before each text.")
    ] = None
    input_type: Annotated[str | None, Meta(description="query or document")] = None
    instruction: Annotated[
        str | None, Meta(description="The task in words, for models that take one.")
    ] = None
    expected_fingerprint: Annotated[
        Any, Meta(description="Answer 409 unless the model's fingerprint is this.")
    ] = None


class Embedding(Struct):
    object: Literal["embedding"]
    index: Annotated[int, Meta(ge=0, description="The place of its text in `input`.")]
    embedding: Annotated[
        list[float] | str | dict[str, list[float] | str],
        Meta(
            description="Numbers, or base64 of little-endian float32; with embedding_types, by type."
        ),
    ]


class Usage(Struct):
    prompt_tokens: Annotated[int, Meta(ge=0, description="Tokens read, special ones included.")]
    total_tokens: Annotated[int, Meta(ge=0)]


class Embeddings(Struct):
    object: Literal["list"]
    data: Annotated[list[Embedding], Meta(description="One for each input, in its order.")]
    model: str
    usage: Annotated[Usage, Meta(description="With what was cut or chunked, if anything was.")]
    system_fingerprint: Annotated[
        str | UnsetType, Meta(description="Changes whenever the vectors could.")
    ] = UNSET


class TokenizeRequest(Struct):
    """What the model's tokenizer makes of texts, as OVMS has it."""

    model: ModelName
    text: Annotated[
        Any,
        Meta(
            description="A text or several; one text in an array is answered like the text alone.",
            extra_json_schema=one_of(_Text, _Texts),
        ),
    ]
    add_special_tokens: Annotated[bool | None, Meta(description="true by default")] = None
    max_length: Annotated[
        Annotated[int, Meta(ge=1, le=65536)] | None, Meta(description="Cut to this many tokens.")
    ] = None
    pad_to_max_length: Annotated[bool | None, Meta(description="false by default")] = None
    padding_side: Annotated[
        Literal["left", "right"] | None, Meta(description="right by default")
    ] = None


class Tokenized(Struct):
    tokens: Annotated[list[Any], Meta(description="Token ids, or a list of them for each text.")]


class DetokenizeRequest(Struct):
    """The text behind token ids."""

    model: ModelName
    tokens: Annotated[
        Any,
        Meta(
            description="Token ids of one text, or of several.",
            extra_json_schema=one_of(_Tokens, _ListsOfTokens),
        ),
    ]


class Detokenized(Struct):
    text: str | list[str]


class RerankRequest(Struct):
    """How well each document answers the query, as Cohere has it."""

    model: ModelName
    query: str
    documents: Annotated[
        list[str | dict[str, Any]],
        Meta(min_length=1, description="Texts, or objects with a `text` (or with `rank_fields`)."),
    ]
    top_n: Annotated[
        Positive | None, Meta(description="Only this many, the best; all by default.")
    ] = None
    return_documents: Annotated[bool | None, Meta(description="false by default")] = None
    instruction: Annotated[
        str | None, Meta(description="The task in words, for models that take one.")
    ] = None
    rank_fields: Annotated[
        Annotated[list[str], Meta(min_length=1)] | None,
        Meta(description="Which fields of documents that are objects; text by default."),
    ] = None
    max_chunks_per_doc: Annotated[
        Positive | None,
        Meta(description="Read this many windows of a long document; all by default."),
    ] = None
    max_tokens_per_doc: Annotated[
        Positive | None, Meta(description="Read this many tokens of a document; all by default.")
    ] = None
    expected_fingerprint: Annotated[
        Any, Meta(description="Answer 409 unless the model's fingerprint is this.")
    ] = None


class RerankResult(Struct):
    index: Annotated[int, Meta(ge=0, description="The place in `documents`.")]
    relevance_score: float
    document: Annotated[
        dict[str, Any] | UnsetType, Meta(description="As it was sent; a text as `text`.")
    ] = UNSET


class Reranked(Struct):
    model: str
    results: Annotated[list[RerankResult], Meta(description="The best first.")]
    usage: Usage
    meta: Annotated[
        dict[str, Any], Meta(description="As Cohere has it; `warnings` say what was not read.")
    ]
    id: Annotated[str | UnsetType, Meta(description="Under /v1 and /v2.")] = UNSET
    system_fingerprint: Annotated[
        str | UnsetType, Meta(description="Changes whenever the scores could.")
    ] = UNSET


class ModelDetails(Struct):
    """What the nodes of the model's graph say of it."""

    dimensions: Annotated[int | UnsetType, Meta(description="Numbers in a vector.")] = UNSET
    max_tokens: Annotated[int | UnsetType, Meta(description="Longest input, in tokens.")] = UNSET
    pooling: Annotated[str | UnsetType, Meta(description="CLS, LAST or MEAN.")] = UNSET
    normalized: Annotated[bool | UnsetType, Meta(description="Vectors have unit length.")] = UNSET
    precision: Annotated[str | UnsetType, Meta(description="Of the arithmetic.")] = UNSET
    device: str | UnsetType = UNSET
    overflow: Annotated[
        str | UnsetType,
        Meta(description="What happens to longer inputs, if a request does not say."),
    ] = UNSET
    token_input: Annotated[
        str | UnsetType, Meta(description="Whose token ids it takes: `model` is its own.")
    ] = UNSET
    prompts: Annotated[dict[str, str] | UnsetType, Meta(description="By prompt_name.")] = UNSET
    default_prompt: str | UnsetType | None = UNSET
    fingerprint: Annotated[
        str | UnsetType, Meta(description="Changes whenever the vectors could.")
    ] = UNSET


class Model(Struct):
    id: str
    object: Literal["model"]
    created: Annotated[int, Meta(description="When it was loaded, seconds since 1970.")]
    owned_by: str
    details: ModelDetails


class Models(Struct):
    """The models that are ready."""

    object: Literal["list"]
    data: list[Model]


class OpenAIError(Struct):
    message: str
    type: str
    param: Annotated[str | None, Meta(description="The member of the request to mend.")]
    code: Annotated[str | None, Meta(description="A stable word for programs.")]


class OpenAIFailure(Struct):
    error: OpenAIError


class KServeFailure(Struct):
    error: str


class ModelVersionStatus(Struct):
    version: str
    state: Literal["AVAILABLE", "LOADING"]
    status: dict[str, str]


class ConfigStatus(Struct):
    model_version_status: list[ModelVersionStatus]


class ReloadFailed(Struct):
    error: str


class ServerMetadata(Struct):
    name: str
    version: str
    extensions: list[str]


class RepositoryIndexRequest(Struct):
    ready: Annotated[bool, Meta(description="Only versions that are ready.")] = False


class RepositoryModel(Struct):
    """One version of a model."""

    name: str
    version: str
    state: Literal["READY", "LOADING", "UNLOADING", "UNAVAILABLE"]
    reason: str


class RepositoryRequest(Struct):
    """Triton's clients send `unload_dependents`, which changes nothing here; others are refused."""

    parameters: dict[str, Any] = {}


class ModelLoaded(Struct):
    name: str
    load: bool


class ModelUnloaded(Struct):
    name: str
    unload: bool


class Live(Struct):
    live: bool


class Ready(Struct):
    ready: bool


class ModelReady(Struct):
    name: str
    ready: bool


class ModelNames(Struct):
    models: list[str]


Datatype = Literal[
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "BF16",
    "FP32",
    "FP64",
    "BYTES",
]
Parameters = dict[str, bool | int | float | str]


class TensorSpec(Struct):
    name: str
    datatype: Datatype
    shape: Annotated[list[int], Meta(description="-1 is a size that varies.")]


class ModelMetadata(Struct):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]


class InputTensor(Struct):
    name: str
    datatype: Datatype
    shape: list[Natural]
    data: Annotated[
        list[Any] | None, Meta(description="The values in row-major order, flat or nested.")
    ] = None
    parameters: Annotated[
        Parameters | None, Meta(description="binary_data_size: bytes behind the JSON.")
    ] = None


class OutputRequest(Struct):
    name: str
    parameters: Annotated[
        Parameters | None, Meta(description="binary_data: send it as bytes behind the JSON.")
    ] = None


class InferRequest(Struct):
    """Tensors by name; `GET /v2/models/{model}` tells which ones a model takes."""

    inputs: Annotated[list[InputTensor], Meta(min_length=1)]
    id: str | UnsetType = UNSET
    outputs: Annotated[
        list[OutputRequest] | None,
        Meta(description="Which outputs, in which order; all if absent."),
    ] = None
    parameters: Parameters | None = None


class OutputTensor(Struct):
    name: str
    datatype: Datatype
    shape: list[Natural]
    data: Annotated[
        list[Any] | UnsetType, Meta(description="Row-major and flat; absent when sent as bytes.")
    ] = UNSET
    parameters: Parameters | UnsetType = UNSET


class InferResponse(Struct):
    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | UnsetType = UNSET
    parameters: Parameters | UnsetType = UNSET
