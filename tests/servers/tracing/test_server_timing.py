"""`x-debug: trace`: what each node took, for the request that asks and for no other."""

import time
from typing import Any

import grpc
import numpy as np
import pytest

from calcgraph.proto import inference_pb2 as pb

BODY = '{"model": "echo", "input": "a"}'


def durations(header: str) -> dict[str, float]:
    """Milliseconds by name."""
    return {
        name: float(duration)
        for name, duration in (entry.split(";dur=") for entry in header.split(", "))
    }


def infer(**parameters: bool) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="echo")
    request.inputs.add(name="x", datatype="FP32", shape=[1])
    request.raw_input_contents.append(np.zeros(1, "<f4").tobytes())
    for name, value in parameters.items():
        request.parameters[name].bool_param = value
    return request


def test_the_answer_says_what_each_node_took(served: Any) -> None:
    start = time.perf_counter()
    answer = served.call("POST", "/v3/embeddings", BODY, x_debug="trace")
    elapsed = (time.perf_counter() - start) * 1000
    took = durations(answer.headers["server-timing"])
    total = took.pop("total")
    assert list(took) == ["EchoRequest"]
    assert 0 < sum(took.values()) <= total <= elapsed


def test_a_refused_request_is_timed_too(served: Any) -> None:
    body = BODY.replace('"a"', '"refuse"')
    answer = served.call("POST", "/v3/embeddings", body, x_debug="trace")
    assert answer.status == 400
    assert "EchoRequest" in durations(answer.headers["server-timing"])


def test_others_on_the_same_connection_are_not_timed(connection: Any) -> None:
    def headers(**more: str) -> Any:
        connection.request("POST", "/v3/embeddings", BODY, more)
        response = connection.getresponse()
        response.read()
        return response.headers

    assert "Server-Timing" in headers(**{"x-debug": "trace"})
    assert "Server-Timing" not in headers()
    assert "Server-Timing" not in headers(**{"x-debug": "something else"})


def test_a_call_over_grpc_has_it_behind_its_answer(stub: Any) -> None:
    _, call = stub.ModelInfer.with_call(infer(), metadata=[("x-debug", "trace")])
    assert "EchoRequest" in durations(dict(call.trailing_metadata())["server-timing"])
    _, call = stub.ModelInfer.with_call(infer())
    assert "server-timing" not in dict(call.trailing_metadata())


def test_so_does_one_that_fails(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(infer(fail=True), metadata=[("x-debug", "trace")])
    assert "server-timing" in dict(error.value.trailing_metadata())
