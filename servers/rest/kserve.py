"""The Open Inference Protocol (KServe v2) over REST, under /v2, with tensors in JSON or behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from aiohttp import web

from calcgraph.servers import product
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.errors import Answer
from calcgraph.servers.observation.exchange import Method, about
from calcgraph.servers.rest.binary_tail import HEADER, split
from calcgraph.servers.rest.json_tensors import read_infer, write_infer
from calcgraph.servers.rest.requests import parse_json, read_body
from calcgraph.servers.rest.router import ANY, Route, json_response, other_method

# What may follow a model's name.
_SUFFIX = re.compile(r"(?:/versions/(?P<version>[^/]+))?(?:/(?P<verb>ready|infer))?")


class KServe:
    """Translates the calls of KServe's and Triton's clients for the data plane."""

    def __init__(self, plane: DataPlane, extensions: Sequence[str]) -> None:
        self._plane = plane
        self._extensions = list(extensions)
        self._verbs = {
            "": ("GET", Method.MODEL_METADATA, self._metadata),
            "ready": ("GET", Method.MODEL_READY, self._model_ready),
            "infer": ("POST", Method.MODEL_INFER, self._infer),
        }

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2", self._server)
        yield Route("GET", "/v2/health/live", self._live)
        yield Route("GET", "/v2/health/ready", self._ready)
        yield Route("GET", "/v2/models", self._models)
        yield Route(ANY, "/v2/models/", self._model)

    async def _server(self, request: web.BaseRequest, _: str) -> web.Response:
        return json_response(
            {
                "name": product.NAME,
                "version": product.VERSION,
                "extensions": self._extensions,
            }
        )

    async def _live(self, request: web.BaseRequest, _: str) -> web.Response:
        return json_response({"live": True})

    async def _ready(self, request: web.BaseRequest, _: str) -> web.Response:
        ready = self._plane.ready
        return json_response({"ready": ready}, 200 if ready else 503)

    async def _models(self, request: web.BaseRequest, _: str) -> web.Response:
        return json_response({"models": list(self._plane.names)})

    async def _model(self, request: web.BaseRequest, rest: str) -> web.Response:
        name, version, verb = self._parse(rest)
        method, call, endpoint = self._verbs[verb]
        if request.method.replace("HEAD", "GET") != method:
            return other_method(request, [method])
        about(name, call)
        return await endpoint(request, name, version)

    def _parse(self, rest: str) -> tuple[str, str, str]:
        """Model, version and verb of what follows /v2/models/.

        Names hold slashes, so that "a/ready" may be the model "a/ready" or the readiness of "a": the
        longest name that is served wins.
        """
        served = (name for name in self._plane.names if rest.startswith(name))
        for name in sorted(served, key=len, reverse=True):
            if suffix := _SUFFIX.fullmatch(rest, len(name)):
                return name, suffix["version"] or "", suffix["verb"] or ""
        suffix = re.search(rf"{_SUFFIX.pattern}$", rest)
        assert suffix is not None  # the pattern matches nothing at all
        return rest[: suffix.start()], suffix["version"] or "", suffix["verb"] or ""

    async def _metadata(self, request: web.BaseRequest, name: str, version: str) -> web.Response:
        metadata = await self._plane.metadata(name, version)
        return json_response(
            {
                "name": metadata.name,
                "versions": list(metadata.versions),
                "platform": metadata.platform,
                "inputs": [_spec(spec) for spec in metadata.inputs],
                "outputs": [_spec(spec) for spec in metadata.outputs],
            }
        )

    async def _model_ready(self, request: web.BaseRequest, name: str, version: str) -> web.Response:
        ready = self._plane.is_ready(name, version)
        return json_response({"name": name, "ready": ready}, 200 if ready else 503)

    async def _infer(self, request: web.BaseRequest, name: str, version: str) -> web.Response:
        raw_inputs = await self._plane.raw_inputs(name, version)
        body, tail = split(await read_body(request), request.headers.get(HEADER))
        call = read_infer(name, parse_json(body), tail, request.headers, raw_inputs)
        answer, tensors = write_infer(call, await self._plane.infer(name, call.request, version))
        response = json_response(answer)
        if tensors:
            assert isinstance(response.body, bytes)
            response.headers[HEADER] = str(len(response.body))
            response.content_type = "application/octet-stream"
            response.body = b"".join([response.body, *tensors])
        return response


def kserve_error(answer: Answer) -> bytes:
    """The body of an error, as tritonclient reads it: nothing but a string."""
    return orjson.dumps({"error": answer.message})


def _spec(spec: Any) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}
