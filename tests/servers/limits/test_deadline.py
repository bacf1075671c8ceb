"""Requests that may take only so long, over every way to say it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.servers.limits.limits import Limits

BODY = '{"model": "wait", "input": "x"}'
GOOD = '{"model": "echo", "input": "x"}'


def message(**parameters: int) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="wait", raw_input_contents=[b"\0" * 8])
    request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    for name, value in parameters.items():
        request.parameters[name].int64_param = value
    return request


def call(model: str, **parameters: Any) -> bytes:
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
    return orjson.dumps({"inputs": [tensor], "parameters": parameters})


@pytest.fixture
def waiting(nodes: dict[str, Any]) -> Iterator[Any]:
    """The node that never answers; whatever was asked of it must have been dropped by the end."""
    node = nodes["WaitForever"]
    yield node
    assert node.asked.acquire(timeout=10)
    assert node.cancelled.acquire(timeout=10)


def test_a_header_says_how_long_a_request_may_take(served: Any, waiting: Any) -> None:
    answer = served.call("POST", "/v3/embeddings", BODY, x_request_timeout="0.05")
    assert answer.status == 504
    error = answer.json["error"]
    assert error["code"] == "deadline_exceeded"
    assert error["message"] == "The request was not answered within its 0.05 s."


def test_kserves_parameter_says_it_in_microseconds(served: Any, waiting: Any) -> None:
    answer = served.call("POST", "/v2/models/wait/infer", call("wait", timeout=50_000))
    assert answer.status == 504
    assert "0.05 s" in answer.json["error"]


def test_grpc_metadata_and_parameters_say_it_too(stub: Any, waiting: Any) -> None:
    for request, metadata in (
        (message(), (("x-request-timeout", "0.05"),)),
        (message(timeout=50_000), ()),
    ):
        with pytest.raises(grpc.RpcError) as error:
            stub.ModelInfer(request, metadata=metadata, timeout=10)
        assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert error.value.details() == "The request was not answered within its 0.05 s."


def test_grpcs_own_deadline_drops_the_work(stub: Any, waiting: Any) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(message(), timeout=0.2)
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_shortest_of_several_counts(served: Any, waiting: Any) -> None:
    body = call("wait", timeout=60_000_000)
    start = time.monotonic()
    answer = served.call("POST", "/v2/models/wait/infer", body, x_request_timeout="0.05")
    assert answer.status == 504
    assert time.monotonic() - start < 30


def test_the_server_has_a_default(serve: Any, waiting: Any, tmp_path: Path) -> None:
    with serve(tmp_path, limits=Limits(timeout_s=0.05)) as served:
        assert served.call("POST", "/v3/embeddings", BODY).status == 504
        with grpc.insecure_channel(served.grpc_address) as channel:
            with pytest.raises(grpc.RpcError) as error:
                GRPCInferenceServiceStub(channel).ModelInfer(message(), timeout=10)
            assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_request_in_time_is_answered(served: Any) -> None:
    assert served.call("POST", "/v3/embeddings", GOOD, x_request_timeout="30").status == 200
    body = call("echo", timeout=30_000_000)
    assert served.call("POST", "/v2/models/echo/infer", body).status == 200
    assert served.call("POST", "/v2/models/echo/infer", call("echo", timeout=0)).status == 200


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "nan", "inf", "1s", "1e999"])
def test_what_is_no_time_is_refused(served: Any, text: str) -> None:
    answer = served.call("POST", "/v3/embeddings", GOOD, x_request_timeout=text)
    assert answer.status == 400
    assert answer.json["error"]["param"] == "x-request-timeout"
    assert "expected seconds, above 0" in answer.json["error"]["message"]


@pytest.mark.parametrize("value", [-1, 0.5, "soon"])
def test_a_parameter_that_is_no_time_is_refused(served: Any, value: Any) -> None:
    answer = served.call("POST", "/v2/models/echo/infer", call("echo", timeout=value))
    assert answer.status == 400
    assert "expected microseconds, an integer" in answer.json["error"]
