"""Where a front end listens, and why it could not."""

from __future__ import annotations

import errno
import os
import socket

from calcgraph.runtime.errors import Code, StatusError, status_error


def join(host: str, port: int) -> str:
    """host:port, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def cannot_listen(front_end: str, flag: str, host: str, port: int, error: OSError) -> StatusError:
    """The sentence for whoever started the server: the flag to change, and the reason."""
    reason = {
        errno.EADDRINUSE: "another process listens there",
        errno.EACCES: "ports below 1024 need a privilege",
        errno.EADDRNOTAVAIL: "this machine has no such address",
    }.get(error.errno or 0) or (os.strerror(error.errno) if error.errno else str(error))
    if isinstance(error, socket.gaierror):
        reason = f"the host is unknown: {error.strerror}"
    return status_error(
        Code.UNAVAILABLE,
        f"{front_end} cannot listen on {join(host, port)}: {reason} ({flag} {port})",
    )


def bind_error(host: str, port: int) -> OSError:
    """What the operating system answers when this address is bound; for libraries that do not say."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        return error
    return OSError("the address could not be bound")
