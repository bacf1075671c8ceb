"""The OpenAPI document of a running server: its operations, their types, and the names it serves now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec.structs

from calcgraph.servers import product
from calcgraph.servers.rest import schema
from calcgraph.servers.rest.operations import Operation, is_kserve

_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"

_DESCRIPTION: Final = (
    "Every answer carries `x-request-id` (yours, if you send one) and `openai-processing-ms`. Bodies may "
    "be packed with gzip, and large answers are if you accept it. A retry helps after 429 and 503, which "
    "say when in `Retry-After`; `x-should-retry: false` says that it does not. `X-Priority: interactive` or "
    "`bulk` chooses a request's lane, which is otherwise by size; clients take turns, told apart by "
    "`X-Client-Id`, else by their API key, else by the field `user`."
)

_HEADERS: Final[Mapping[int, str]] = {
    405: "Allow",
    415: "Accept-Encoding",
    429: "Retry-After",
    503: "Retry-After",
}
_VERSIONS: Final = ["0", "1"]


def document(
    operations: Sequence[Operation], models: Sequence[str], dimensions: int | None
) -> dict[str, Any]:
    """OpenAPI 3.1 for a server of these models; `dimensions` is the length of their longest vector."""
    types = list(dict.fromkeys(_types(operations)))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        item = paths.setdefault(operation.path, _path_item(operation.path))
        item[operation.method.lower()] = _operation(operation, by_type, models)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": product.NAME,
            "version": product.VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components | _live(models, dimensions)},
    }


def _types(operations: Iterable[Operation]) -> Iterable[Any]:
    yield from (schema.OpenAIFailure, schema.KServeFailure)
    for operation in operations:
        yield operation.answer
        yield from operation.also.values()
        if operation.request is not None:
            yield operation.request


def _live(models: Sequence[str], dimensions: int | None) -> dict[str, Any]:
    """The components that depend on what is served."""
    name: dict[str, Any] = {"type": "string"}
    if models:
        name["enum"] = list(models)
    length: dict[str, Any] = {"type": ["integer", "null"], "minimum": 1}
    if dimensions is not None:
        length["maximum"] = dimensions
    return {"ModelName": name, "Dimensions": length}


def _path_item(path: str) -> dict[str, Any]:
    parameters = [_parameter(name) for name in re.findall(r"{(\w+)}", path)]
    return {"parameters": parameters} if parameters else {}


def _parameter(name: str) -> dict[str, Any]:
    described = {
        "model": ("A model's name; its slashes may stand as %2F.", {"$ref": _ref("ModelName")}),
        "version": ("A graph has one version.", {"type": "string", "enum": _VERSIONS}),
    }
    description, kind = described[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": kind,
    }


def _operation(
    operation: Operation, by_type: Mapping[Any, Any], models: Sequence[str]
) -> dict[str, Any]:
    answers = {"200": _answer(operation, by_type)}
    for status in sorted(operation.statuses):
        answers[str(status)] = _error(operation, status, by_type)
    described: dict[str, Any] = {
        "operationId": _identifier(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": answers,
    }
    if operation.request is not None:
        content: dict[str, Any] = {"schema": by_type[operation.request]}
        if models:
            content["examples"] = {"one": {"value": _example(operation, models[0])}}
        described["requestBody"] = {
            "required": any(field.required for field in msgspec.structs.fields(operation.request)),
            "content": {_JSON: content},
        }
    return described


def _answer(operation: Operation, by_type: Mapping[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {operation.media_type: {"schema": by_type[operation.answer]}}
    for media_type in operation.raw:
        content[media_type] = {"schema": {"type": "string", "format": "binary"}}
    return {"description": operation.summary, "content": content}


def _error(operation: Operation, status: int, by_type: Mapping[Any, Any]) -> dict[str, Any]:
    failure = schema.KServeFailure if is_kserve(operation.path) else schema.OpenAIFailure
    kind = by_type[operation.also.get(status, failure)]
    described: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {_JSON: {"schema": kind}},
    }
    if name := _HEADERS.get(status):
        described["headers"] = {name: {"schema": {"type": "string"}}}
    return described


def _example(operation: Operation, model: str) -> dict[str, Any]:
    takes_model = operation.request is not None and "model" in operation.request.__struct_fields__
    return ({"model": model} if takes_model else {}) | dict(operation.example)


def _identifier(operation: Operation) -> str:
    words = re.findall(r"\w+", operation.path)
    return "_".join([operation.method.lower(), *words])


def _ref(name: str) -> str:
    return _REF.format(name=name)
