"""OVMS's GET /v1/config: the state of every model that the configuration names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.repository.status import VersionStatus
from calcgraph.servers.rest.router import Route, json_response


class ConfigStatus:
    """Answers what OVMS's own tools ask to see whether a model has come up."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v1/config", self._config)

    async def _config(self, request: web.BaseRequest, _: str) -> web.Response:
        return json_response(
            {name: _status(versions) for name, versions in self._plane.statuses().items()}
        )


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
