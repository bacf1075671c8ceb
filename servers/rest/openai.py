"""OpenAI's API: embeddings and the list of models, under /v1, /v3 and OVMS's /v3/v1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.errors import Answer
from calcgraph.servers.observation.exchange import Method, about
from calcgraph.servers.rest.operations import COHERE_V2, PREFIXES
from calcgraph.servers.rest.requests import read_json
from calcgraph.servers.rest.router import Route, json_response

if TYPE_CHECKING:
    from calcgraph.runtime.model_metadata import ModelMetadata

# What the named model's graph answers; the graph sees the path.
_VERBS = ("embeddings", "tokenize", "detokenize", "rerank")


class OpenAI:
    """Translates OpenAI's calls for the data plane."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    def routes(self) -> Iterator[Route]:
        for prefix in PREFIXES:
            for verb in _VERBS:
                yield Route("POST", f"{prefix}/{verb}", self._answer)
            yield Route("GET", f"{prefix}/models", self._models)
            yield Route("GET", f"{prefix}/models/", self._model)
        for path in COHERE_V2:
            yield Route("POST", path, self._answer)

    async def _answer(self, request: web.BaseRequest, _: str) -> web.Response:
        body = await read_json(request)
        name = _model_name(body)
        about(name, Method.UNARY)
        path = request.path.rstrip("/")
        answer = await self._plane.answer(name, HttpRequest(path, body, request.headers))
        response = web.Response(body=answer.body, headers=answer.headers)
        response.headers["Content-Type"] = answer.content_type
        return response

    async def _models(self, request: web.BaseRequest, _: str) -> web.Response:
        ready = [name for name in self._plane.names if self._plane.is_ready(name)]
        models = [_described(name, self._plane.known_metadata(name)) for name in ready]
        return json_response({"object": "list", "data": models})

    async def _model(self, request: web.BaseRequest, name: str) -> web.Response:
        return json_response(_described(name, await self._plane.metadata(name)))


def openai_error(answer: Answer) -> bytes:
    """The body of an error, as OpenAI's clients read it."""
    return orjson.dumps(
        {
            "error": {
                "message": answer.message,
                "type": answer.type,
                "param": answer.param,
                "code": answer.reason,
            }
        }
    )


def _model_name(body: dict[str, Any]) -> str:
    name = body.get("model")
    if name is None:
        raise RequestError(
            "Missing required parameter: 'model'.",
            param="model",
            reason="missing_required_parameter",
        )
    if not isinstance(name, str):
        raise RequestError(
            f"'model' is a string; found {orjson.dumps(name).decode()[:80]}.", param="model"
        )
    return name


def _described(name: str, metadata: ModelMetadata | None) -> dict[str, Any]:
    """A model that was never in memory has no details yet."""
    return {
        "id": name,
        "object": "model",
        "created": metadata.created if metadata else 0,
        "owned_by": "calcgraph",
        "details": metadata.details if metadata else {},
    }
