"""A port for probes alone, answered by a thread of its own, however busy the event loop is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from calcgraph.servers.addresses import cannot_listen, join
from calcgraph.servers.pulse import Pulse

_CLIENT_S: Final = 5.0
_QUESTIONS: Final[Mapping[str, Callable[[Pulse], bool]]] = {
    "/livez": lambda pulse: pulse.alive,
    "/readyz": lambda pulse: pulse.ready and pulse.alive,
    "/startupz": lambda pulse: pulse.started,
}
_KSERVE: Final = {"/v2/health/live": "/livez", "/v2/health/ready": "/readyz"}


class HealthPort:
    """Answers GET /livez, /readyz and /startupz, and KServe's two, with 200 or 503."""

    def __init__(self, pulse: Pulse, host: str, port: int) -> None:
        """Listen. Raises StatusError when the port cannot be had."""
        handler = type("Probe", (_Probe,), {"pulse": pulse})
        try:
            self._server = _server_class(host)((host, port), handler)
        except OSError as error:
            raise cannot_listen("health", "--health_port", host, port, error) from None
        self.address = join(host, self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="health", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Probe(BaseHTTPRequestHandler):
    pulse: Pulse
    timeout = _CLIENT_S

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        ask = _QUESTIONS.get(_KSERVE.get(path, path))
        self._answer(404 if ask is None else 200 if ask(self.pulse) else 503)

    do_HEAD = do_GET

    def _answer(self, status: int) -> None:
        body = b"ok\n" if status == 200 else b"no\n"
        self.send_response_only(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Probes come every few seconds."""


def _server_class(host: str) -> type[ThreadingHTTPServer]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    attributes = {"address_family": family, "daemon_threads": True}
    return type("Server", (ThreadingHTTPServer,), attributes)
