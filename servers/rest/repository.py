"""The repository extension of the Open Inference Protocol: which models there are, load, unload."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from aiohttp import web

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.servers.errors import HttpError
from calcgraph.servers.model_control import ModelControl
from calcgraph.servers.rest.requests import parse_json, read_body
from calcgraph.servers.rest.router import Route, json_response


class RepositoryExtension:
    """Has no routes where it is off: its paths are unknown then."""

    def __init__(self, control: ModelControl) -> None:
        self._control = control

    def routes(self) -> Iterator[Route]:
        if self._control.enabled:
            yield Route("POST", "/v2/repository/index", self._index)
            yield Route("POST", "/v2/repository/models/", self._model)

    async def _index(self, request: web.BaseRequest, _: str) -> web.Response:
        ready = (await _body(request)).get("ready", False)
        if not isinstance(ready, bool):
            raise RequestError(f"'ready' is a boolean; found {ready!r:.80}.", param="ready")
        return json_response([asdict(entry) for entry in self._control.index(ready=ready)])

    async def _model(self, request: web.BaseRequest, rest: str) -> web.Response:
        name, _, verb = rest.rpartition("/")
        body = await _body(request)
        if verb == "load":
            parameters = body.get("parameters") or {}
            if not isinstance(parameters, dict):
                raise RequestError("'parameters' is an object.", param="parameters")
            await self._control.load(name, parameters)
        elif verb == "unload":
            await self._control.unload(name)
        else:
            message = f"Unknown URL: {request.path}; expected /load or /unload at its end"
            raise HttpError(404, message, reason="unknown_url", code=Code.NOT_FOUND)
        return json_response({"name": name, verb: True})


async def _body(request: web.BaseRequest) -> dict[str, Any]:
    """Triton's clients send no body at all, or an object."""
    body = await read_body(request)
    return parse_json(body) if body else {}
