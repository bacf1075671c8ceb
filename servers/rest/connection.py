"""An HTTP connection: bytes that are no HTTP get an answer in JSON, slow clients get so much time, and
when all places are taken the connection that has been idle for longest gives way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD

from calcgraph.servers.limits.transfer import TransferLimits

Refuse = Callable[[web.BaseRequest, HttpProcessingError], web.Response]
"""Makes the answer to a request that never reached the handler."""

_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

log = logging.getLogger(__name__)


class Server(web.Server):
    """aiohttp's connection factory, with our word on what aiohttp would refuse in plain text."""

    def __init__(
        self, handler: Any, *, refuse: Refuse, transfer: TransferLimits, **options: Any
    ) -> None:
        super().__init__(handler, **options)
        self._refuse = refuse
        self.transfer = transfer
        self._one_closed = asyncio.Event()

    def __call__(self) -> web.RequestHandler:
        return Connection(self, self._loop, self._refuse, self._kwargs)

    async def all_closed(self, seconds: float) -> None:
        """Wait until no connection is left, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._connections:
                    self._one_closed.clear()
                    await self._one_closed.wait()

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        task = handler._task_handler
        super().connection_lost(handler, exc)
        if task is None:
            self._one_closed.set()
        else:  # aiohttp forgets the connection when its task is over
            task.add_done_callback(lambda _: self._one_closed.set())

    def make_room(self) -> bool:
        """Whether one more connection may be; an idle one is closed for it if need be."""
        if len(self._connections) < self.transfer.connections:
            return True
        connections = cast("dict[Connection, Any]", self._connections)
        idle = min(
            (connection for connection in connections if connection.is_idle),
            key=lambda connection: connection.idle_since,
            default=None,
        )
        if idle is None:
            return False
        idle.force_close()
        return True


class Connection(web.RequestHandler):
    """One client's."""

    __slots__ = ("_answer_timer", "_body", "_head_timer", "_refuse", "_server")

    def __init__(self, server: Server, loop: Any, refuse: Refuse, options: dict[str, Any]) -> None:
        super().__init__(server, loop=loop, **options)
        self._server = server
        self._refuse = refuse
        self._head_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None
        self._body: StreamReader = EMPTY_PAYLOAD
        """Of the last request, which may still be on its way."""

    @property
    def transfer(self) -> TransferLimits:
        return self._server.transfer

    @property
    def is_idle(self) -> bool:
        """Between two requests."""
        return self._head_timer is None and self._waiter is not None and not self._waiter.done()

    @property
    def idle_since(self) -> float:
        """By the clock of the event loop, shifted by a constant."""
        return self._next_keepalive_close_time

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._server.make_room():
            self._force_close = True
            cast(asyncio.Transport, transport).write(_BUSY)
            cast(asyncio.Transport, transport).close()
            return
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head_is_there()
        self._is_reading()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        requests, in_body = self._request_count, not self._body.is_eof()
        super().data_received(data)
        if self._request_count > requests:
            self._head_is_there()
            self._body = self._messages[-1][1]
        elif data and not in_body and self._head_timer is None and self.transport is not None:
            self._await_head()

    def pause_writing(self) -> None:
        """The client does not take what it asked for, or not as fast as it is there."""
        super().pause_writing()
        unread = self.transport.get_write_buffer_size() if self.transport else 0
        seconds = self._server.transfer.seconds_for(unread)
        self._answer_timer = self._loop.call_later(seconds, self._answer_is_not_read)

    def resume_writing(self) -> None:
        self._is_reading()
        super().resume_writing()

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

    def _await_head(self) -> None:
        seconds = self._server.transfer.client_s
        self._head_timer = self._loop.call_later(seconds, self._head_is_late)

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.transport is not None:
            log.debug("%s sends no request: closed", self.peername)
            self.transport.write(_LATE)
        self.force_close()

    def _is_reading(self) -> None:
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def _answer_is_not_read(self) -> None:
        self._answer_timer = None
        if self.transport is not None:
            log.debug("%s does not read its answer: closed", self.peername)
            self.transport.abort()
