"""A bad request gets its own 4xx, names the field, and leaves the server well."""

from __future__ import annotations

from typing import Any

import pytest

F32 = "e2e/minilm-f32"


@pytest.mark.parametrize(
    ("change", "param", "message"),
    [
        ({"input": None}, "input", "Missing required parameter: 'input'"),
        ({"input": []}, "input", "empty"),
        ({"input": [[]]}, "input", "empty"),
        ({"input": 1.5}, "input", ""),
        ({"input": True}, "input", ""),
        ({"input": {}}, "input", ""),
        ({"input": ["a", 1]}, "input", "input[1]"),
        ({"input": [1, "a"]}, "input", "input[1]"),
        ({"input": [[1], "a"]}, "input", "input[1]"),
        ({"input": [1, True]}, "input", ""),
        ({"input": [1.0]}, "input", ""),
        ({"input": [-1]}, "input", "-1"),
        ({"input": [30522]}, "input", "token id 30522"),
        ({"input": [[2**63]]}, "input", "input[0]"),
        ({"input": "word " * 1000}, "input", "maximum context length is 256 tokens"),
        ({"input": [[101] * 257]}, "input", "maximum context length is 256 tokens"),
        ({"encoding_format": "hex"}, "encoding_format", "'float' or 'base64'"),
        ({"encoding_format": 7}, "encoding_format", ""),
        ({"encoding_format": ""}, "encoding_format", "'float' or 'base64'"),
        ({"encoding_format": {}}, "encoding_format", ""),
        ({"dimensions": 0}, "dimensions", "between 1 and 384"),
        ({"dimensions": 385}, "dimensions", "between 1 and 384"),
        ({"dimensions": "8"}, "dimensions", ""),
        ({"dimensions": 8.5}, "dimensions", ""),
    ],
)
@pytest.mark.parametrize("path", ["/v1/embeddings", "/v3/embeddings"])
def test_a_bad_field_is_named(
    server: Any, path: str, change: dict[str, Any], param: str, message: str
) -> None:
    status, answer = server.post(path, {"model": F32, "input": "x"} | change)
    assert status == 400
    error = answer["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert message in error["message"]
    assert server.embed(F32, "x").shape == (1, 384)


def test_a_text_too_long_has_the_code_that_clients_look_for(server: Any) -> None:
    status, answer = server.post("/v3/embeddings", {"model": F32, "input": "word " * 1000})
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")


TEXT = {"name": "input", "datatype": "BYTES", "shape": [1], "data": ["x"]}
IDS = {"name": "input_ids", "datatype": "INT64", "shape": [1, 2], "data": [101, 102]}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([TEXT | {"name": "text"}], "input"),
        ([TEXT, TEXT | {"name": "more"}], "more"),
        ([TEXT, IDS], "input_ids"),
        ([TEXT | {"shape": [1, 1, 1]}], "shape"),
        ([TEXT | {"datatype": "INT64", "data": [1]}], "INT64"),
        ([IDS | {"data": [101, 30522]}], "30522"),
        ([IDS | {"shape": [2]}], "shape"),
        ([TEXT | {"data": ["word " * 1000]}], "256"),
    ],
)
def test_a_bad_tensor_is_named(server: Any, inputs: list[Any], message: str) -> None:
    status, answer = server.post(f"/v2/models/{F32}/infer", {"inputs": inputs})
    assert status == 400
    assert answer.keys() == {"error"}
    assert message in answer["error"]
    assert server.embed(F32, "x").shape == (1, 384)


@pytest.mark.parametrize("path", ["/v3/rerank", "/v1/rerank", "/v2/rerank"])
def test_a_model_of_embeddings_does_not_rerank(server: Any, path: str) -> None:
    body = {"model": F32, "query": "x", "documents": ["a", "b"]}
    status, answer = server.post(path, body)
    assert (status, answer["error"]["code"]) == (400, "wrong_endpoint")
    assert f"and not {path}" in answer["error"]["message"]
