"""OVMS's /v1/config, the state of every model that is configured, and /v1/config/reload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from aiohttp import web

from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.repository.status import VersionStatus
from calcgraph.servers.rest.router import Route, json_response

# OVMS's, by what came of it.
_AS_IT_WAS: Final = 200
_RELOADED: Final = 201
_FAILED: Final = 412


class ConfigStatus:
    """Answers what OVMS's own tools ask to see whether a model has come up."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v1/config", self._config)
        yield Route("POST", "/v1/config/reload", self._reload)

    async def _config(self, request: web.BaseRequest, _: str) -> web.Response:
        return json_response(self._statuses())

    async def _reload(self, request: web.BaseRequest, _: str) -> web.Response:
        done = await self._plane.refresh()
        if done.problems:
            return json_response({"error": "\n".join(done.problems)}, _FAILED)
        return json_response(self._statuses(), _RELOADED if done.changed else _AS_IT_WAS)

    def _statuses(self) -> dict[str, Any]:
        return {name: _status(versions) for name, versions in self._plane.statuses().items()}


def _status(versions: Sequence[VersionStatus]) -> dict[str, Any]:
    return {
        "model_version_status": [
            {
                "version": str(each.version),
                "state": each.state,
                "status": {
                    "error_code": each.code.name,
                    "error_message": each.reason or each.code.name,
                },
            }
            for each in versions
        ]
    }
