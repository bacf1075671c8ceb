"""Where connections come in; when it closes, those that the system has taken already are served too."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final

from aiohttp import web

from calcgraph.servers.rest.connection import Server
from calcgraph.servers.rest.newcomers import turn_newcomers_away

_BACKLOG: Final = 1024
_HANDSHAKE_S: Final = 0.1
"""A round trip to a client far away."""


class Listener:
    """One address of a server."""

    def __init__(
        self, runner: web.ServerRunner, server: Server, tls: ssl.SSLContext | None
    ) -> None:
        self._runner = runner
        self.server = server
        self._tls = tls
        self._site: web.SockSite | None = None
        self._socket: socket.socket | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen; the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        listening = _listening(found[0][0], found[0][4])
        # The event loop closes its own.
        self._socket = listening.dup()
        self._site = web.SockSite(self._runner, listening, backlog=_BACKLOG, ssl_context=self._tls)
        await self._site.start()
        return int(listening.getsockname()[1])

    async def close(self) -> None:
        """Take no connection any more. To those in the system's queue their clients have sent requests.

        The system resets what comes between the last look into its queue and the end of the socket: nothing
        is to come then.
        """
        if self._site is None or self._socket is None:
            return
        if turn_newcomers_away(self._socket):
            await asyncio.sleep(_HANDSHAKE_S)
        await self._site.stop()
        loop = asyncio.get_running_loop()
        waiting = []
        with self._socket as listening:
            listening.setblocking(False)
            while True:
                try:
                    waiting.append(listening.accept()[0])
                except OSError:
                    break
        for connection in waiting:
            connection.setblocking(False)
            await loop.connect_accepted_socket(self.server, connection, ssl=self._tls)


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening
