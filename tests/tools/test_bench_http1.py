"""The benchmark's HTTP client, against a server that answers with given bytes."""

import asyncio
from collections.abc import Sequence

import pytest

from calcgraph.tools.bench.http1 import BadAnswer, Connection, Target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
TARGET = Target("127.0.0.1", 0, "/x", False)


async def answers(pieces: Sequence[bytes], requests: int = 1, *, end: bool = False) -> list[object]:
    """What the client makes of a server that sends these pieces in answer to each request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for _ in range(requests):
                await reader.readuntil(b"\r\n\r\nbody")
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if end:
                    break
            else:
                await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    target = Target("127.0.0.1", server.sockets[0].getsockname()[1], "/x", False)
    async with server:
        connection = await Connection.connect(target)
        seen: list[object] = []
        for _ in range(requests):
            try:
                reply = await asyncio.wait_for(connection.ask(target.post(b"body", {})), 10)
            except ConnectionError as error:
                seen.append(error)
                break
            seen.append((reply.status, reply.body))
        seen.append(connection.usable)
        connection.close()
    return seen


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (OK, 200, b"hi"),
        (b"HTTP/1.0 404 Not Found\r\ncontent-LENGTH:3\r\n\r\nno!", 404, b"no!"),
        (b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"hi"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\nA;x=1\r\n0123456789\r\n"
            b"0\r\nTrailer: 1\r\n\r\n",
            200,
            b"abcd0123456789",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, b""),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_answer_is_read_however_it_is_cut(
    answer: bytes, status: int, body: bytes, step: int
) -> None:
    pieces = [answer[i : i + step] for i in range(0, len(answer), step)]
    assert asyncio.run(answers(pieces, 3)) == [(status, body)] * 3 + [True]


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    pieces = [b"HTTP/1.1 200 OK\r\n\r\nall", b" of it"]
    assert asyncio.run(answers(pieces, end=True)) == [(200, b"all of it"), False]


def test_connection_close_is_heeded() -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert asyncio.run(answers([answer])) == [(200, b"hi"), False]


def test_half_an_answer_is_an_error() -> None:
    error, usable = asyncio.run(answers([OK[:-1]], end=True))
    assert isinstance(error, ConnectionError) and "closed the connection" in str(error)
    assert not usable


@pytest.mark.parametrize(
    "nonsense",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    ],
)
def test_what_is_not_http_is_an_error(nonsense: bytes) -> None:
    error, usable = asyncio.run(answers([nonsense]))
    assert isinstance(error, BadAnswer)
    assert not usable


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:8000/v3/embeddings", Target("localhost", 8000, "/v3/embeddings", False)),
        ("https://a.example", Target("a.example", 443, "/", True)),
        ("http://[::1]:9/a?b=c", Target("::1", 9, "/a?b=c", False)),
    ],
)
def test_a_url_says_where(url: str, target: Target) -> None:
    assert Target.of(url) == target


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://a/b", "http://", "http://a:b/"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Target.of(url)


def test_a_request_is_written_whole() -> None:
    request = Target("::1", 9, "/a", False).post(b"{}", {"X-Y": "z"})
    assert request == (
        b"POST /a HTTP/1.1\r\nHost: [::1]:9\r\nContent-Length: 2\r\nX-Y: z\r\n\r\n{}"
    )
