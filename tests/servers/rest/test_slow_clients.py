"""Clients that send slowly, read slowly, or come in crowds, over bare sockets."""

import gzip
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from calcgraph.servers.limits.transfer import BodyRoom, TransferLimits

SOON = 0.2
HEAD = b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def strict(serve: Any, tmp_path: Path) -> Iterator[Any]:
    """A server with three connections and little patience."""
    limits = TransferLimits(
        connections=3,
        client_s=SOON,
        slowest=1 << 30,
        body_bytes=1 << 20,
        bodies_bytes=3 << 19,
    )
    with serve(tmp_path, transfer=limits) as served:
        yield served


def connect(served: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=20)


def read_to_end(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return data


@pytest.mark.parametrize("sent", [b"", b"P", b"POST /v3/embeddings HTTP/1.1\r\nHost:", HEAD])
def test_headers_that_do_not_come_end_the_connection(strict: Any, sent: bytes) -> None:
    with closing(connect(strict)) as connection:
        connection.sendall(sent)
        assert read_to_end(connection).startswith(b"HTTP/1.1 408 ")


def test_headers_that_drip_end_the_connection(strict: Any) -> None:
    with closing(connect(strict)) as connection:
        connection.sendall(HEAD)
        connection.settimeout(SOON / 8)
        data = b""
        for _ in range(1000):
            try:
                connection.sendall(b"x: y\r\n")
                data = connection.recv(1000)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("it listens for ever")
        assert data == b"" or data.startswith(b"HTTP/1.1 408 ")


def test_the_headers_of_a_second_request_have_a_time_too(strict: Any) -> None:
    with closing(connect(strict)) as connection:
        connection.sendall(GET)
        first = connection.recv(65536)
        assert first.startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET /v2/hea")
        assert b"HTTP/1.1 408 " in read_to_end(connection)


def test_a_connection_that_waits_for_its_next_request_is_kept(strict: Any, eventually: Any) -> None:
    with closing(connect(strict)) as connection, closing(connect(strict)) as slow:
        connection.sendall(GET)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        read_to_end(slow)  # longer than headers may take
        connection.sendall(GET)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_does_not_come_is_a_408(strict: Any) -> None:
    with closing(connect(strict)) as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        data = read_to_end(connection)
        assert data.startswith(b"HTTP/1.1 408 ")
        assert orjson.loads(data.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"


def test_a_client_that_never_reads_loses_its_connection(strict: Any) -> None:
    body = orjson.dumps({"model": "echo", "input": "x" * 900_000})
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with closing(connect(strict)) as connection, pytest.raises(ConnectionError):
        for _ in range(1000):
            connection.sendall(request)
    assert strict.call("GET", "/v2/health/live").status == 200


def test_a_crowd_is_told_to_come_later(strict: Any, nodes: Any) -> None:
    with ExitStack() as opened:
        body = b'{"model": "wait", "input": "x"}'
        for _ in range(3):
            busy = opened.enter_context(closing(connect(strict)))
            busy.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert nodes["WaitForever"].asked.acquire(timeout=10)
        late = opened.enter_context(closing(connect(strict)))
        answer = read_to_end(late)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in answer
    for _ in range(3):
        assert nodes["WaitForever"].cancelled.acquire(timeout=10)
    assert strict.call("GET", "/v2/health/live").status == 200


def test_the_connection_that_was_idle_for_longest_gives_way(strict: Any) -> None:
    with ExitStack() as opened:
        idle = [opened.enter_context(closing(connect(strict))) for _ in range(3)]
        for connection in idle:
            connection.sendall(GET)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert strict.call("GET", "/v2/health/live").status == 200
        assert read_to_end(idle[0]) == b""
        idle[1].sendall(GET)
        assert idle[1].recv(65536).startswith(b"HTTP/1.1 200 ")


def test_bodies_have_so_much_room_together(strict: Any, nodes: Any) -> None:
    body = orjson.dumps({"model": "wait", "input": "x" * 1_000_000})
    with closing(connect(strict)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert nodes["WaitForever"].asked.acquire(timeout=10)
        refused = strict.call("POST", "/v3/embeddings", body)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        small = strict.call("POST", "/v3/embeddings", b'{"model": "echo", "input": "x"}')
        assert small.status == 200
    assert nodes["WaitForever"].cancelled.acquire(timeout=10)


def test_what_a_packed_body_will_need_is_not_known(strict: Any, nodes: Any) -> None:
    body = orjson.dumps({"model": "wait", "input": "x" * 600_000})
    with closing(connect(strict)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert nodes["WaitForever"].asked.acquire(timeout=10)
        packed = gzip.compress(b'{"model": "echo", "input": "x"}')
        answer = strict.call("POST", "/v3/embeddings", packed, content_encoding="gzip")
        assert answer.status == 429
    assert nodes["WaitForever"].cancelled.acquire(timeout=10)


def test_one_body_always_has_room() -> None:
    room = BodyRoom(10)
    with room.taking(100):
        assert room.taken == 100
    assert room.taken == 0


def test_large_bodies_have_more_time() -> None:
    limits = TransferLimits(client_s=30, slowest=16 * 1024)
    assert limits.seconds_for(0) == 30
    assert limits.seconds_for(160 * 1024) == 40


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nx: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"x%d: y\r\n" % i for i in range(500)) + b"\r\n",
    ],
)
def test_headers_have_limits(served: Any, request_head: bytes) -> None:
    with closing(connect(served)) as connection:
        connection.sendall(request_head)
        assert read_to_end(connection).startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
