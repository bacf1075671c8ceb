"""A listening socket that takes no new client: nobody who got in is reset when it closes."""

import errno
import select
import socket
import sys
from collections.abc import Iterator

import pytest

from calcgraph.servers.rest.newcomers import turn_newcomers_away

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a filter of Linux")


@pytest.fixture(params=["127.0.0.1", "::1"])
def listening(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        try:
            listening.bind((request.param, 0))
        except OSError:
            pytest.skip("no IPv6 here")
        listening.listen()
        listening.settimeout(5)
        yield listening


def connecting(listening: socket.socket) -> socket.socket:
    client = socket.socket(listening.family, socket.SOCK_STREAM)
    client.setblocking(False)
    client.connect_ex(listening.getsockname())
    return client


def test_who_got_in_is_served_and_who_comes_later_is_refused_when_it_closes(
    listening: socket.socket,
) -> None:
    with connecting(listening) as early:
        assert turn_newcomers_away(listening)
        with connecting(listening) as late:
            listening.accept()[0].close()
            listening.setblocking(False)
            with pytest.raises(BlockingIOError):
                listening.accept()
            listening.close()
            assert select.select([], [late], [], 10)[1], "the system asks again after a second"
            assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
        early.setblocking(True)
        assert early.recv(1) == b""


def test_those_who_are_in_can_talk(listening: socket.socket) -> None:
    with connecting(listening) as client:
        assert turn_newcomers_away(listening)
        with listening.accept()[0] as accepted:
            listening.close()
            client.setblocking(True)
            client.sendall(b"question")
            assert accepted.recv(8) == b"question"
            accepted.sendall(b"answer")
            assert client.recv(6) == b"answer"
