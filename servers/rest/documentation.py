"""GET /openapi.json, the API of this server for programs, and GET /docs, the same for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from aiohttp import web

from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.rest.openapi import document
from calcgraph.servers.rest.operations import operations
from calcgraph.servers.rest.page import page
from calcgraph.servers.rest.router import Route, json_response

# The page is all there is: nothing is fetched, nothing runs.
_POLICY: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


class Documentation:
    """Describes the data plane as it is now."""

    def __init__(self, plane: DataPlane, *, repository: bool = False) -> None:
        """`repository` says whether the repository extension is on."""
        self._plane = plane
        self._operations = tuple(operations(repository=repository))

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/openapi.json", self._openapi)
        yield Route("GET", "/docs", self._docs)

    async def _openapi(self, request: web.BaseRequest, _: str) -> web.Response:
        return json_response(self._document())

    async def _docs(self, request: web.BaseRequest, _: str) -> web.Response:
        return web.Response(
            text=page(self._document(), str(request.url.origin())),
            content_type="text/html",
            headers=_POLICY,
        )

    def _document(self) -> dict[str, Any]:
        plane = self._plane
        known = [plane.known_metadata(name) for name in plane.names]
        details = [metadata.details for metadata in known if metadata]
        lengths = [d["dimensions"] for d in details if d.get("dimensions") is not None]
        return document(self._operations, plane.names, max(lengths, default=None))
