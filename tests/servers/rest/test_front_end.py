"""What every REST answer has in common, whatever the dialect."""

import gzip
import logging
import socket
import time
from http.client import HTTPConnection
from typing import Any

import orjson
import pytest

GOOD = '{"model": "echo", "input": "hi"}'


def socket_to(served: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=10)


def received(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        part = connection.recv(65536)
        assert part, f"closed after {data!r}"
        data += part
    return data


def test_the_callers_request_id_comes_back(served: Any) -> None:
    answer = served.call("POST", "/v3/embeddings", GOOD, x_request_id="mine-1")
    assert answer.headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize("given", ["a\tb", "x" * 300, "h\xe9"])
def test_a_request_id_that_cannot_stand_in_a_log_line_is_replaced(served: Any, given: str) -> None:
    answer = served.call("POST", "/v3/embeddings", GOOD, x_request_id=given)
    assert answer.status == 200
    assert answer.headers["x-request-id"] != given


def test_every_answer_has_a_request_id_of_its_own(served: Any) -> None:
    ids = [served.call("GET", path).headers["x-request-id"] for path in ("/v3/models", "/nowhere")]
    assert all(ids)
    assert ids[0] != ids[1]


def test_the_processing_time_is_a_number_of_milliseconds(served: Any) -> None:
    answer = served.call("POST", "/v3/embeddings", GOOD)
    assert 0 <= int(answer.headers["openai-processing-ms"]) < 10_000


def test_ten_calls_use_one_connection_through_all_kinds_of_errors(
    connection: HTTPConnection,
) -> None:
    """KServe R12."""
    own = connection.sock
    for method, path, body, status in [
        ("POST", "/v3/embeddings", GOOD, 200),
        ("POST", "/v3/embeddings", "{", 400),
        ("POST", "/v3/embeddings", '{"model": "gone"}', 404),
        ("POST", "/v3/embeddings", '{"model": "echo", "input": "fail"}', 500),
        ("POST", "/v3/embeddings", '{"model": "unready"}', 503),
        ("GET", "/v3/embeddings", None, 405),
        ("DELETE", "/v2", None, 405),
        ("GET", "/nowhere", None, 404),
        ("POST", "/v3/embeddings", '{"pad": "' + "x" * (2 << 20) + '"}', 413),
        ("POST", "/v3/embeddings", GOOD, 200),
    ]:
        connection.request(method, path, body)
        response = connection.getresponse()
        response.read()
        assert response.status == status, path
        assert connection.sock is own


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", ""])
def test_the_content_type_of_a_request_does_not_matter(served: Any, content_type: str) -> None:
    """KServe Z3."""
    assert served.call("POST", "/v1/embeddings", GOOD, content_type=content_type).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v3/embeddings", "POST"),
        ("PUT", "/v1/models", "GET"),
        ("DELETE", "/v3/models/echo", "GET"),
        ("GET", "/v2/models/echo/infer", "POST"),
        ("POST", "/v2/models/echo", "GET"),
        ("POST", "/v2/health/live", "GET"),
        ("PATCH", "/v2/models/echo/ready", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    served: Any, method: str, path: str, allowed: str
) -> None:
    """KServe R10."""
    answer = served.call(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allowed


def test_head_answers_as_get_without_a_body(served: Any) -> None:
    answer = served.call("HEAD", "/v2/health/live")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", ["/v3/nowhere", "/v1", "/", "/metric", "/v3/embeddings/x"])
def test_an_unknown_url_is_an_openai_error(served: Any, path: str) -> None:
    answer = served.call("GET", path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["code"] == "unknown_url"


@pytest.mark.parametrize("path", ["/v2/nowhere", "/v2/health", "/v2/models/gone/ready"])
def test_an_unknown_url_below_v2_is_a_kserve_error(served: Any, path: str) -> None:
    """KServe Z2."""
    answer = served.call("GET", path)
    assert answer.status == 404
    assert answer.json.keys() == {"error"}
    assert isinstance(answer.json["error"], str)


def test_a_typing_error_in_the_url_is_told_the_nearest(served: Any) -> None:
    message = served.call("POST", "/v3/embedings").json["error"]["message"]
    assert "did you mean '/v3/embeddings'?" in message


@pytest.mark.parametrize("path", ["/v3/embeddings", "/v1/embeddings", "/v2/models/echo/infer"])
def test_a_body_above_the_limit_is_refused_and_the_limit_is_named(served: Any, path: str) -> None:
    answer = served.call("POST", path, b"x" * ((1 << 20) + 1))
    assert answer.status == 413
    assert "1048576 bytes" in str(answer.json["error"])


def test_a_small_body_that_unpacks_above_the_limit_is_refused(served: Any) -> None:
    body = gzip.compress(b" " * (2 << 20) + GOOD.encode())
    assert served.call("POST", "/v3/embeddings", body, content_encoding="gzip").status == 413


def test_a_compressed_body_is_unpacked(served: Any) -> None:
    body = gzip.compress(GOOD.encode())
    assert served.call("POST", "/v3/embeddings", body, content_encoding="gzip").status == 200


def test_a_body_that_is_not_compressed_as_it_says_is_refused(served: Any) -> None:
    answer = served.call("POST", "/v3/embeddings", GOOD, content_encoding="gzip")
    assert answer.status == 400
    assert "body cannot be read" in answer.json["error"]["message"]


@pytest.mark.parametrize("encoding", ["zstd-of-tomorrow", "compress", "gzip, gzip"])
def test_a_body_packed_in_an_unknown_way_is_a_415_that_names_the_known(
    served: Any, encoding: str
) -> None:
    """KServe B16."""
    answer = served.call("POST", "/v3/embeddings", GOOD, content_encoding=encoding)
    assert answer.status == 415
    assert answer.headers["accept-encoding"].startswith("gzip, deflate")
    assert answer.json["error"]["code"] == "unsupported_content_encoding"


def test_a_chunk_that_is_none_is_a_400(served: Any) -> None:
    with socket_to(served) as connection:
        connection.sendall(
            b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        )
        assert received(connection, b"}}").startswith(b"HTTP/1.0 400")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v3/embeddings", "POST"),
        ("/v2/models/echo", "GET"),
        ("/v2/models/echo/infer", "POST"),
        ("/v2/models/echo/versions/1/ready", "GET"),
    ],
)
def test_options_tells_the_methods_of_a_path(served: Any, path: str, allowed: str) -> None:
    answer = served.call("OPTIONS", path)
    assert (answer.status, answer.headers["allow"]) == (204, allowed)


def test_a_chunked_body_is_read(served: Any) -> None:
    """KServe B18."""
    with socket_to(served) as connection:
        connection.sendall(
            b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in GOOD.encode())
            + b"0\r\n\r\n"
        )
        assert received(connection, b"}}").startswith(b"HTTP/1.1 200")


def test_a_client_that_waits_for_100_continue_is_not_left_waiting(served: Any) -> None:
    with socket_to(served) as connection:
        connection.sendall(
            b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(GOOD)
        )
        assert received(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(GOOD.encode())
        assert received(connection, b"}}").startswith(b"HTTP/1.1 200")


def test_a_client_that_leaves_cancels_its_own_request_and_no_other(
    served: Any, nodes: dict[str, Any]
) -> None:
    """KServe X3, X5."""
    wait = nodes["WaitForever"]
    request = orjson.dumps({"model": "wait"})
    head = b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(request)
    with socket_to(served) as stays:
        stays.sendall(head + request)
        assert wait.asked.acquire(timeout=10)
        with socket_to(served) as leaves:
            leaves.sendall(head + request)
            assert wait.asked.acquire(timeout=10)
        assert wait.cancelled.acquire(timeout=10)
        assert not wait.cancelled.acquire(blocking=False)
    assert wait.cancelled.acquire(timeout=10)
    assert served.call("POST", "/v3/embeddings", GOOD).status == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /v2 HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 10_000 + b"\r\n\r\n",
        b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    ],
    ids=["word", "tls", "header", "length"],
)
def test_what_is_not_http_is_refused_in_json_without_an_error_in_the_log(
    served: Any, caplog: pytest.LogCaptureFixture, garbage: bytes
) -> None:
    with socket_to(served) as connection:
        connection.sendall(garbage)
        head, _, body = received(connection, b"}}").partition(b"\r\n\r\n")
    assert b" 400 " in head
    assert b"x-request-id: " in head
    error = orjson.loads(body)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert "not valid HTTP" in error["message"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert served.call("GET", "/v2/health/live").status == 200


def test_requests_on_one_connection_are_answered_in_their_order(served: Any) -> None:
    with socket_to(served) as connection:
        for i in range(5):
            body = b'{"model": "echo", "input": "%d"}' % i
            head = b"POST /v3/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(
                body
            )
            connection.sendall(head + body)
        data, deadline = b"", time.monotonic() + 10
        while data.count(b"}}") < 5 and time.monotonic() < deadline:
            data += connection.recv(65536)
    assert [data.index(b'"input":"%d"' % i) for i in range(5)] == sorted(
        data.index(b'"input":"%d"' % i) for i in range(5)
    )
