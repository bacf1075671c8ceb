"""The REST server: one aiohttp connection factory, our own routes, every error an answer in its dialect."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from typing import Final

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage

from calcgraph.servers import product
from calcgraph.servers.addresses import cannot_listen, join
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.errors import HttpError, answer_to
from calcgraph.servers.rest.config_status import ConfigStatus
from calcgraph.servers.rest.kserve import KServe, kserve_error
from calcgraph.servers.rest.openai import OpenAI, openai_error
from calcgraph.servers.rest.router import Router

# Clients keep idle connections for minutes, and one that the server closes first costs them a retry.
_KEEP_ALIVE_S: Final = 3600.0
_BACKLOG: Final = 1024
_SERVER: Final = f"{product.NAME}/{product.VERSION}"

log = logging.getLogger(__name__)
_connections: Final = logging.getLogger(f"{__name__}.connections")


def _is_ours(record: logging.LogRecord) -> bool:
    """Bytes that are no HTTP are the sender's mistake, and no error of this server."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        log.debug("refused what is not HTTP: %s", error.message)
        return False
    return True


_connections.addFilter(_is_ours)


class RestFrontEnd:
    """Serves a data plane over HTTP/1.1 until stopped."""

    def __init__(self, plane: DataPlane, *, max_body_bytes: int, drain_s: float) -> None:
        dialects = (OpenAI(plane), KServe(plane), ConfigStatus(plane))
        self._router = Router(route for dialect in dialects for route in dialect.routes())
        self._max_body_bytes = max_body_bytes
        self._drain_s = drain_s
        self._request_ids = itertools.count(1)
        self._process = os.urandom(6).hex()
        self._loop = asyncio.get_running_loop()
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> str:
        """Listen, and return the URL. Port 0 takes a free one. Raises StatusError when it cannot."""
        # A client that goes away cancels its own request, and nobody else's.
        server = web.Server(
            self._handle,
            request_factory=self._make_request,
            handler_cancellation=True,
            access_log=log if log.isEnabledFor(logging.DEBUG) else None,
            logger=_connections,
            keepalive_timeout=_KEEP_ALIVE_S,
        )
        # aiohttp waits twice for a request that hangs: for its handler, then for its connection.
        self._runner = web.ServerRunner(server, shutdown_timeout=self._drain_s / 2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=_BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise cannot_listen("REST", "--rest_port", host, port, error) from None
        return f"http://{join(host, site.port)}"

    async def stop(self) -> None:
        """Stop accepting, let running requests end for `drain_s` seconds, close the connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _make_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        limit = self._max_body_bytes
        return web.BaseRequest(
            message, payload, protocol, writer, task, self._loop, client_max_size=limit
        )

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        start = time.perf_counter()
        request_id = self._request_id(request)
        try:
            response = await self._answer(request)
        except Exception as error:
            response = _error_response(request, error, request_id)
        headers = response.headers
        headers["Server"] = _SERVER
        headers["x-request-id"] = request_id
        headers["openai-processing-ms"] = str(round((time.perf_counter() - start) * 1000))
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if (request.content_length or 0) > self._max_body_bytes:
            raise self._too_large()
        try:
            return await self._router.answer(request)
        except web.HTTPRequestEntityTooLarge:  # chunked or compressed: the length was not told
            raise self._too_large() from None

    def _too_large(self) -> HttpError:
        return HttpError(
            413,
            f"The body is larger than this server's limit of {self._max_body_bytes} bytes.",
            reason="request_too_large",
        )

    def _request_id(self, request: web.BaseRequest) -> str:
        """The client's own, when it can stand in a header and a log line."""
        given = request.headers.get("x-request-id", "")
        if given and len(given) <= 256 and given.isascii() and given.isprintable():
            return given
        return f"{self._process}-{next(self._request_ids):x}"


def _error_response(request: web.BaseRequest, error: Exception, request_id: str) -> web.Response:
    answer = answer_to(error, request_id)
    is_kserve = request.path == "/v2" or request.path.startswith("/v2/")
    body = kserve_error(answer) if is_kserve else openai_error(answer)
    response = web.Response(body=body, status=answer.status, headers=answer.headers)
    response.content_type = "application/json"
    return response
