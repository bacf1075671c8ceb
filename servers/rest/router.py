"""From a method and a path to the function that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from calcgraph.runtime.errors import Code
from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers.errors import HttpError

Endpoint = Callable[[web.BaseRequest, str], Awaitable[web.Response]]
"""Gets the request and, where the route ends in "/", the rest of the path with %2F read as "/"."""


ANY = "*"


class Route(NamedTuple):
    method: str
    """ANY where the endpoint itself tells which methods it takes."""
    path: str
    """Exact; or, ending in "/", the beginning of every path it serves."""
    endpoint: Endpoint


class Router:
    """A dictionary of exact paths, then the few prefixes whose rest is a model's name."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, dict[str, Endpoint]] = {}
        self._prefixes: dict[str, dict[str, Endpoint]] = {}
        for method, path, endpoint in routes:
            table = self._prefixes if path.endswith("/") else self._exact
            table.setdefault(path, {})[method] = endpoint

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Raises HttpError 404 and 405 for what no route serves."""
        path = request.path
        endpoints, rest = self._exact.get(path), ""
        if endpoints is None:
            endpoints, rest = self._find(path)
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = endpoints.get(method) or endpoints.get(ANY)
        if endpoint is None:
            return other_method(request, endpoints)
        return await endpoint(request, rest)

    def _find(self, path: str) -> tuple[dict[str, Endpoint], str]:
        path = path.rstrip("/")
        if path in self._exact:
            return self._exact[path], ""
        for prefix, endpoints in self._prefixes.items():
            if path.startswith(prefix):
                return endpoints, path[len(prefix) :]
        message = f"Unknown URL: {path or '/'}{did_you_mean(path, self._exact)}"
        raise HttpError(404, message, reason="unknown_url", code=Code.NOT_FOUND)


def other_method(request: web.BaseRequest, allowed: Iterable[str]) -> web.Response:
    """Names the methods of this path to who asks with OPTIONS; raises a 405 that does for all else."""
    allow = ", ".join(allowed)
    if request.method == "OPTIONS":
        return web.Response(status=204, headers={"Allow": allow})
    raise HttpError(
        405,
        f"{request.path} does not take {request.method}; it takes {allow}.",
        reason="method_not_allowed",
        headers={"Allow": allow},
    )


def json_response(value: Any, status: int = 200) -> web.Response:
    """Numpy arrays are written as nested lists, float32 in the shortest digits that read back equal."""
    body = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return web.Response(body=body, status=status, content_type="application/json")
