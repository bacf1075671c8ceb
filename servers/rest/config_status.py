"""OVMS's GET /v1/config: the state of every model that the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.rest.router import Route, json_response


class ConfigStatus:
    """Answers what OVMS's own tools ask to see whether a model has come up."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v1/config", self._config)

    async def _config(self, request: web.BaseRequest, _: str) -> web.Response:
        return json_response({name: self._status(name) for name in self._plane.names})

    def _status(self, name: str) -> dict[str, Any]:
        state = "AVAILABLE" if self._plane.is_ready(name) else "LOADING"
        status = {"error_code": "OK", "error_message": "OK"}
        return {"model_version_status": [{"version": "1", "state": state, "status": status}]}
