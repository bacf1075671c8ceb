"""Tensors as bytes behind the JSON of a body, as tritonclient sends and asks for them."""

import gzip
import zlib
from typing import Any

import numpy as np
import orjson
import pytest

RAW = np.array([0.5, 2], "<f4").tobytes()
WORDS = b"\x06\0\0\0h\xc3\xa9llo\x01\0\0\0w"
FLOATS = {"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}
TEXTS = {"name": "y", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": 15}}


def infer(served: Any, body: Any, tail: bytes = b"", length: object = None, **headers: str) -> Any:
    head = orjson.dumps(body)
    told = str(len(head) if length is None else length)
    path = "/v2/models/echo/infer"
    return served.call("POST", path, head + tail, inference_header_content_length=told, **headers)


def read(answer: Any) -> tuple[dict[str, Any], bytes]:
    """The JSON and the bytes behind it; the header says where they part."""
    assert answer.status == 200, answer
    length = int(answer.headers["inference-header-content-length"])
    return orjson.loads(answer.body[:length]), answer.body[length:]


def test_inputs_are_read_from_the_tail_in_their_order(served: Any) -> None:
    """KServe B1, B9, B10."""
    answer = infer(served, {"inputs": [FLOATS, TEXTS]}, RAW + WORDS).json
    assert [output["data"] for output in answer["outputs"]] == [[0.5, 2.0], ["héllo", "w"]]


def test_json_and_binary_inputs_may_stand_side_by_side(served: Any) -> None:
    """KServe B2."""
    plain = {"name": "x", "datatype": "FP32", "shape": [1], "data": [7]}
    answer = infer(served, {"inputs": [plain, TEXTS]}, WORDS).json
    assert [output["data"] for output in answer["outputs"]] == [[7.0], ["héllo", "w"]]


def test_a_half_float_travels_in_the_tail(served: Any) -> None:
    """KServe B10."""
    tensor = FLOATS | {"datatype": "FP16", "parameters": {"binary_data_size": 4}}
    raw = np.array([0.5, 2], "<f2").tobytes()
    body = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    assert read(infer(served, body, raw))[1] == raw


def test_all_outputs_come_as_bytes_when_the_request_says_so(served: Any) -> None:
    """KServe B11, B14."""
    body = {"inputs": [FLOATS, TEXTS], "parameters": {"binary_data_output": True}}
    answer = infer(served, body, RAW + WORDS)
    assert answer.headers["content-type"] == "application/octet-stream"
    head, tail = read(answer)
    assert tail == RAW + WORDS
    assert [output["parameters"]["binary_data_size"] for output in head["outputs"]] == [8, 15]
    assert not any("data" in output for output in head["outputs"])
    assert "binary_data_output" not in head["parameters"]


@pytest.mark.parametrize("by_default", [True, False])
def test_an_output_may_say_otherwise(served: Any, by_default: bool) -> None:
    """KServe J11, B12."""
    body = {
        "inputs": [FLOATS, TEXTS],
        "parameters": {"binary_data_output": by_default},
        "outputs": [
            {"name": "y", "parameters": {"binary_data": True}},
            {"name": "x", "parameters": {"binary_data": False}},
        ],
    }
    head, tail = read(infer(served, body, RAW + WORDS))
    assert tail == WORDS
    assert [output["name"] for output in head["outputs"]] == ["y", "x"]
    assert head["outputs"][1]["data"] == [0.5, 2.0]


def test_an_empty_output_has_a_size_of_0(served: Any) -> None:
    """KServe B15."""
    empty = FLOATS | {"shape": [0, 2], "parameters": {"binary_data_size": 0}}
    body = {"inputs": [empty], "parameters": {"binary_data_output": True}}
    head, tail = read(infer(served, body))
    assert head["outputs"][0]["parameters"] == {"binary_data_size": 0}
    assert tail == b""


def test_the_header_counts_the_bytes_of_the_unpacked_json(served: Any) -> None:
    """KServe Z5, J2, B16."""
    head = orjson.dumps({"id": "é", "inputs": [FLOATS]})
    answer = served.call(
        "POST",
        "/v2/models/echo/infer",
        gzip.compress(head + RAW),
        content_encoding="gzip",
        Inference_Header_Content_Length=str(len(head)),
    )
    assert answer.json["id"] == "é"


@pytest.mark.parametrize("size", [True, "8", -1, 1.5])
def test_a_size_that_is_no_size_is_refused(served: Any, size: object) -> None:
    """KServe B4, X2."""
    answer = infer(served, {"inputs": [FLOATS | {"parameters": {"binary_data_size": size}}]}, RAW)
    assert answer.status == 400
    assert "expected an integer >= 0" in answer.json["error"]


@pytest.mark.parametrize(
    ("inputs", "tail", "message"),
    [
        ([FLOATS], b"", "has a binary_data_size of 8, but 0 bytes are left"),
        ([FLOATS, TEXTS], RAW + WORDS[:-1], "has a binary_data_size of 15, but 14 bytes are left"),
        ([FLOATS], RAW + b"x", "has 1 bytes that no input takes"),
        ([FLOATS | {"shape": [3]}], RAW, "ask for 12"),
        ([FLOATS | {"data": [1, 2]}], RAW, "has both data and binary_data_size"),
        ([FLOATS | {"parameters": {}}, TEXTS | {"parameters": {}}], RAW, "neither data nor binary"),
        ([FLOATS | {"parameters": {}, "shape": [3]}], RAW, "of 12, but 8 bytes are left"),
        ([FLOATS | {"parameters": {}, "shape": [2**62, 8]}], RAW, "but 8 bytes are left"),
        ([TEXTS | {"shape": [3]}], WORDS, "has 2 values where its shape [3] asks for 3"),
    ],
)
def test_a_tail_that_does_not_fit_is_refused(
    served: Any, inputs: list[Any], tail: bytes, message: str
) -> None:
    """KServe B3, B5, B6, B8, B9, M6, M11, X2."""
    answer = infer(served, {"inputs": inputs}, tail)
    assert answer.status == 400
    assert message in answer.json["error"]


@pytest.mark.parametrize("length", [-1, "abc", 10**6, "", "1_0"])
def test_a_header_that_does_not_fit_the_body_is_refused(served: Any, length: object) -> None:
    """KServe B7, X2."""
    answer = infer(served, {"inputs": [FLOATS]}, RAW, length)
    assert answer.status == 400
    assert "Inference-Header-Content-Length is" in answer.json["error"]


def test_a_header_that_ends_within_the_json_is_refused(served: Any) -> None:
    """KServe B7, X2."""
    answer = infer(served, {"inputs": [FLOATS]}, RAW, 5)
    assert answer.status == 400
    assert "not valid JSON" in answer.json["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [FLOATS], "parameters": {"binary_data_output": "yes"}},
        {"inputs": [FLOATS], "outputs": [{"name": "x", "parameters": {"binary_data": 1}}]},
    ],
    ids=["request", "output"],
)
def test_a_wish_for_bytes_is_a_boolean(served: Any, body: dict[str, Any]) -> None:
    """KServe B13."""
    answer = infer(served, body, RAW)
    assert answer.status == 400
    assert "boolean" in answer.json["error"]


@pytest.mark.parametrize(
    ("inputs", "tail", "data"),
    [
        ([FLOATS | {"parameters": {}}], RAW, [[0.5, 2.0]]),
        ([FLOATS | {"parameters": None}, TEXTS], RAW + WORDS, [[0.5, 2.0], ["héllo", "w"]]),
        ([TEXTS | {"parameters": {}}], WORDS, [["héllo", "w"]]),
    ],
)
def test_a_size_may_be_left_out_where_it_is_clear(
    served: Any, inputs: list[Any], tail: bytes, data: list[Any]
) -> None:
    """KServe B3."""
    answer = infer(served, {"inputs": inputs}, tail).json
    assert [output["data"] for output in answer["outputs"]] == data


def test_deflate_is_unpacked_before_json_and_tail_are_parted(served: Any) -> None:
    """KServe B16."""
    head = orjson.dumps({"inputs": [FLOATS]})
    answer = served.call(
        "POST",
        "/v2/models/echo/infer",
        zlib.compress(head + RAW),
        content_encoding="deflate",
        Inference_Header_Content_Length=str(len(head)),
    )
    assert answer.json["outputs"][0]["data"] == [0.5, 2.0]


def test_a_packed_answer_is_unpacked_before_it_is_parted(served: Any) -> None:
    """KServe B17."""
    size = 1 << 16
    zeros = FLOATS | {"shape": [size], "parameters": {"binary_data_size": 4 * size}}
    body = {"inputs": [zeros], "parameters": {"binary_data_output": True}}
    answer = infer(served, body, bytes(4 * size), accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    whole = gzip.decompress(answer.body)
    length = int(answer.headers["inference-header-content-length"])
    assert orjson.loads(whole[:length])["outputs"][0]["shape"] == [size]
    assert whole[length:] == bytes(4 * size)
