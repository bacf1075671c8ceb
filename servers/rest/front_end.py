"""The REST server: one aiohttp connection factory, our own routes, every error an answer in its dialect."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage

from calcgraph.runtime.errors import RequestError
from calcgraph.servers import product
from calcgraph.servers.addresses import cannot_listen, join
from calcgraph.servers.auth.flags import Security
from calcgraph.servers.auth.scopes import is_rest_health, rest_scope
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.errors import HttpError, answer_to
from calcgraph.servers.limits.transfer import BodyRoom, TransferLimits
from calcgraph.servers.model_control import ModelControl
from calcgraph.servers.observation.exchange import Exchange
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.rest.compression import pack
from calcgraph.servers.rest.config_status import ConfigStatus
from calcgraph.servers.rest.connection import Server
from calcgraph.servers.rest.cors import NO_CORS, Cors
from calcgraph.servers.rest.documentation import Documentation
from calcgraph.servers.rest.kserve import KServe, kserve_error
from calcgraph.servers.rest.listener import Listener
from calcgraph.servers.rest.metrics import Metrics
from calcgraph.servers.rest.openai import OpenAI, openai_error
from calcgraph.servers.rest.operations import is_kserve, rest_surface
from calcgraph.servers.rest.repository import RepositoryExtension
from calcgraph.servers.rest.router import Router
from calcgraph.servers.tls import server_context

# Clients keep idle connections for minutes, and one that the server closes first costs them a retry.
_KEEP_ALIVE_S: Final = 3600.0
_LINGER_S: Final = 1.0
_READ_ON_S: Final = 10.0
_SERVER: Final = f"{product.NAME}/{product.VERSION}"

log = logging.getLogger(__name__)


class RestFrontEnd:
    """Serves a data plane over HTTP/1.1 until stopped."""

    def __init__(
        self,
        plane: DataPlane,
        *,
        drain_s: float,
        transfer: TransferLimits | None = None,
        cors: Cors = NO_CORS,
        security: Security | None = None,
        observation: Observation | None = None,
        model_control: bool = False,
        base_path: str = "",
    ) -> None:
        """`base_path` is what stands before every path, for proxies that do not take it off."""
        self._observation = observation or Observation(plane)
        dialects = (
            OpenAI(plane),
            KServe(plane, product.extensions(model_control)),
            RepositoryExtension(ModelControl(plane, enabled=model_control)),
            ConfigStatus(plane),
            Documentation(plane, repository=model_control),
            Metrics(plane, self._observation),
        )
        self._router = Router(route for dialect in dialects for route in dialect.routes())
        self._plane = plane
        self._base_path = base_path
        self._transfer = transfer or TransferLimits()
        self._bodies = BodyRoom(self._transfer.bodies_bytes)
        self._drain_s = drain_s
        self._cors = cors
        self._security = security or Security()
        self._loop = asyncio.get_running_loop()
        self._runner: web.ServerRunner | None = None
        self._listener: Listener | None = None

    async def start(self, host: str, port: int) -> str:
        """Listen, and return the URL. Port 0 takes a free one. Raises StatusError when it cannot."""
        # A client that goes away cancels its own request, and nobody else's.
        server = Server(
            self._handle,
            refuse=self._refuse,
            transfer=self._transfer,
            request_factory=self._make_request,
            handler_cancellation=True,
            access_log=log if log.isEnabledFor(logging.DEBUG) else None,
            logger=log,
            keepalive_timeout=_KEEP_ALIVE_S,
            # What follows a refused body is read for a moment, so that its sender sees the refusal.
            lingering_time=min(_READ_ON_S, self._transfer.client_s),
        )
        # aiohttp waits twice for a request that hangs: for its handler, then for its connection.
        self._runner = web.ServerRunner(server, shutdown_timeout=self._drain_s / 2)
        await self._runner.setup()
        tls = self._security.tls
        context = server_context(tls) if tls else None
        self._listener = Listener(self._runner, server, context)
        try:
            bound = await self._listener.open(host, port)
        except OSError as error:
            raise cannot_listen("REST", "--rest_port", host, port, error) from None
        return f"{'https' if context else 'http'}://{join(host, bound)}"

    async def stop(self) -> None:
        """Stop accepting, let running requests end for `drain_s` seconds, close the connections.

        Idle connections stay for a moment: a request may be on its way on any of them, and its answer
        tells the client that the connection ends.
        """
        if self._runner is None or self._listener is None:
            return
        self._plane.turn_away()
        await self._listener.close()
        await self._listener.server.all_closed(min(_LINGER_S, self._drain_s))
        await self._runner.cleanup()

    def _make_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        limit = self._transfer.body_bytes
        if self._base_path:
            message = self._without_base_path(message)
        return web.BaseRequest(
            message, payload, protocol, writer, task, self._loop, client_max_size=limit
        )

    def _without_base_path(self, message: RawRequestMessage) -> RawRequestMessage:
        path = message.url.raw_path.removeprefix(self._base_path)
        if not path.startswith("/"):
            return message
        return message._replace(path=path, url=message.url.with_path(path, encoded=True))

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        with self._exchange(request) as exchange:
            try:
                response = await self._answer(request)
            except Exception as error:
                response = _error_response(request, error, exchange)
            await pack(request, response)
            return self._signed(request, response, exchange)

    def _refuse(self, request: web.BaseRequest, error: HttpProcessingError) -> web.Response:
        with self._exchange(request) as exchange:
            # What follows quotes the bytes and points into them, for a terminal.
            mistake = error.message.partition("\n")[0].rstrip(":")
            refusal = RequestError(f"The request is not valid HTTP: {mistake}.")
            response = _error_response(request, refusal, exchange)
            return self._signed(request, response, exchange)

    def _exchange(self, request: web.BaseRequest) -> Exchange:
        path = request.path
        return self._observation.exchange(
            rest_surface(path),
            f"{request.method} {path}",
            request.headers,
        )

    def _signed(
        self, request: web.BaseRequest, response: web.Response, exchange: Exchange
    ) -> web.Response:
        """With the headers that every answer has."""
        headers = response.headers
        headers["Server"] = _SERVER
        headers["x-request-id"] = exchange.request_id
        elapsed = time.perf_counter() - exchange.start
        headers["openai-processing-ms"] = str(round(elapsed * 1000))
        headers.update(self._plane.limits.remaining())
        headers.update(exchange.told())
        if self._plane.leaving:
            response.force_close()
        self._cors.sign(request.headers, headers)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        preflight = self._cors.preflight(request.method, request.headers)
        if preflight is not None:
            return web.Response(status=204, headers=preflight)
        path = request.path
        self._security.guard.check(
            request.headers.get("Authorization"), rest_scope(path), health=is_rest_health(path)
        )
        size = self._size(request)
        try:
            with self._bodies.taking(size):
                return await self._router.answer(request)
        except web.HTTPRequestEntityTooLarge:  # chunked or compressed: the length was not told
            raise self._too_large() from None

    def _size(self, request: web.BaseRequest) -> int:
        """Bytes of memory that the body may take. Raises HttpError 413."""
        length, most = request.content_length or 0, self._transfer.body_bytes
        if length > most:
            raise self._too_large()
        told = (
            "Content-Encoding" not in request.headers and "Transfer-Encoding" not in request.headers
        )
        return length if told else most

    def _too_large(self) -> HttpError:
        return HttpError(
            413,
            f"The body is larger than this server's limit of {self._transfer.body_bytes} bytes.",
            reason="request_too_large",
        )


def _error_response(request: web.BaseRequest, error: Exception, exchange: Exchange) -> web.Response:
    answer = exchange.failure = answer_to(error, exchange.request_id)
    body = kserve_error(answer) if is_kserve(request.path) else openai_error(answer)
    response = web.Response(body=body, status=answer.status, headers=answer.headers)
    response.content_type = "application/json"
    return response
