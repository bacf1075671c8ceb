"""One line for each failed request, with nothing of what the request held."""

import logging
from typing import Any

import grpc
import pytest

from calcgraph.proto import inference_pb2 as pb

LOGGER = "calcgraph.requests"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO, LOGGER)
    return lambda: [r.getMessage() for r in caplog.records if r.name == LOGGER]


def test_a_line_says_which_request_failed_and_why(served: Any, lines: Any) -> None:
    body = '{"model": "echo", "input": "refuse"}'
    served.call("POST", "/v3/embeddings", body, x_request_id="mine-7")
    (line,) = lines()
    for fact in ("status=400", "reason=too_odd", "param=input", "model=echo", "surface=openai"):
        assert fact in line
    assert "request_id=mine-7" in line


def test_a_call_over_grpc_has_its_line_too(stub: Any, lines: Any) -> None:
    with pytest.raises(grpc.RpcError):
        stub.ModelReady(pb.ModelReadyRequest(name="nobody"), metadata=[("x-request-id", "mine-8")])
    (line,) = lines()
    assert "status=404 reason=model_not_found" in line
    assert "surface=kserve_grpc request_id=mine-8" in line


def test_what_went_well_has_none(served: Any, lines: Any) -> None:
    served.call("POST", "/v3/embeddings", '{"model": "echo", "input": "a"}')
    assert lines() == []


def test_neither_inputs_nor_keys_are_told(served: Any, lines: Any) -> None:
    body = '{"model": "echo", "input": "refuse", "secret": "the input"'
    served.call("POST", "/v3/embeddings", body, Authorization="Bearer the-key")
    (line,) = lines()
    assert "the input" not in line
    assert "the-key" not in line


def test_a_name_that_a_client_chose_keeps_to_its_line(served: Any, lines: Any) -> None:
    name = "x\\nrequest failed: status=200 " + "y" * 1000
    served.call("POST", "/v3/embeddings", f'{{"model": "{name}", "input": "a"}}')
    (line,) = lines()
    assert "\n" not in line
    assert len(line) < 400


def test_what_is_no_http_has_a_line(served: Any, connection: Any, lines: Any) -> None:
    connection.sock.sendall(b"GET / HTTP/9.9.9\r\n\r\n")
    assert connection.sock.recv(1000).startswith(b"HTTP/1.0 400")
    (line,) = lines()
    assert "status=400" in line
