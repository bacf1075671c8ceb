"""An HTTP connection that answers bytes which are no HTTP as it answers everything else: in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

Refuse = Callable[[web.BaseRequest, HttpProcessingError], web.Response]
"""Makes the answer to a request that never reached the handler."""


class Server(web.Server):
    """aiohttp's connection factory, with our word on what aiohttp would refuse in plain text."""

    def __init__(self, handler: Any, *, refuse: Refuse, **options: Any) -> None:
        super().__init__(handler, **options)
        self._refuse = refuse

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self._loop, self._refuse, self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ("_refuse",)

    def __init__(self, server: Server, loop: Any, refuse: Refuse, options: dict[str, Any]) -> None:
        super().__init__(server, loop=loop, **options)
        self._refuse = refuse

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP is its sender's mistake; where such a request ends nobody knows."""
        if not isinstance(exc, HttpProcessingError) or request.writer.output_size:
            return super().handle_error(request, status, exc, message)
        response = self._refuse(request, exc)
        response.force_close()
        return response
