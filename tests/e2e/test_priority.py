"""A request's priority reaches the model by every protocol, and a wrong one is refused by name."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any

import grpc
import orjson
import pytest

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub

MODEL = "e2e/minilm-f32"
TEXT = {"name": "input", "datatype": "BYTES", "shape": [1], "data": ["x"]}
OPENAI = "/v3/embeddings", {"model": MODEL, "input": "x"}
KSERVE = f"/v2/models/{MODEL}/infer", {"inputs": [TEXT]}


def post(server: Any, path: str, body: Any, **headers: str) -> tuple[int, str]:
    connection = HTTPConnection(server.rest, timeout=60)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, orjson.dumps(body), names)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def infer(server: Any, metadata: dict[str, str], **parameters: str) -> Any:
    request = pb.ModelInferRequest(model_name=MODEL)
    tensor = request.inputs.add(name="input", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(b"x")
    for name, value in parameters.items():
        request.parameters[name].string_param = value
    with grpc.insecure_channel(server.grpc) as channel:
        stub = GRPCInferenceServiceStub(channel)
        return stub.ModelInfer(request, metadata=list(metadata.items()), timeout=60)


@pytest.mark.parametrize(("path", "body"), [OPENAI, KSERVE])
def test_the_header_is_read_over_rest(server: Any, path: str, body: dict[str, Any]) -> None:
    assert post(server, path, body, X_Priority="bulk", Authorization="Bearer a")[0] == 200
    status, answer = post(server, path, body, X_Priority="urgent")
    assert status == 400
    assert "'x-priority' must be 'interactive' or 'bulk'" in answer


def test_the_parameter_is_read_over_rest(server: Any) -> None:
    path, body = KSERVE
    assert post(server, path, body | {"parameters": {"priority": "interactive"}})[0] == 200
    status, answer = post(server, path, body | {"parameters": {"priority": "urgent"}})
    assert status == 400
    assert "'priority' must be 'interactive' or 'bulk'" in answer


@pytest.mark.parametrize("way", ["metadata", "parameter"])
def test_both_are_read_over_grpc(server: Any, way: str) -> None:
    def ask(word: str) -> Any:
        if way == "metadata":
            return infer(server, {"x-priority": word, "authorization": "Bearer a"})
        return infer(server, {}, priority=word)

    assert ask("bulk").outputs[0].shape == [1, 384]
    with pytest.raises(grpc.RpcError) as refused:
        ask("urgent")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "priority' must be 'interactive' or 'bulk'" in refused.value.details()
