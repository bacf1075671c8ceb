"""OpenAI's request body is read as its clients mean it, and what is wrong is named."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from calcgraph.calculators import openai_dialect
from calcgraph.calculators.values import Embeddings
from calcgraph.runtime.errors import RequestError

VECTORS = np.array([[3.0, 4.0, 0.0], [0.0, 1.0, 0.1]], np.float32)


def answer(body: dict[str, Any], *, normalized: bool = False) -> dict[str, Any]:
    _, wanted = openai_dialect.read({"model": "m", "input": "x", **body})
    response = wanted.write(Embeddings(vectors=VECTORS, normalized=normalized), 7)
    parsed: dict[str, Any] = json.loads(response.body)
    return parsed


@pytest.mark.parametrize(
    ("value", "texts"),
    [("a", ["a"]), ("", [""]), (["a", "b"], ["a", "b"])],
)
def test_texts_are_read(value: Any, texts: list[str]) -> None:
    read, _ = openai_dialect.read({"input": value})
    assert read.texts == texts
    assert read.token_ids is None


@pytest.mark.parametrize(
    ("value", "ids"), [([1, 2], [[1, 2]]), ([[1], [2, 3]], [[1], [2, 3]]), ([0], [[0]])]
)
def test_token_ids_are_read(value: Any, ids: list[list[int]]) -> None:
    read, _ = openai_dialect.read({"input": value})
    assert read.texts is None
    assert read.token_ids is not None
    assert [list(sequence) for sequence in read.token_ids] == ids


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "input", "Missing required parameter: 'input'."),
        ({"input": None}, "input", "Missing required parameter: 'input'."),
        ({"input": []}, "input", "'input' must not be an empty array"),
        ({"input": 5}, "input", "'input' must be a string, an array of strings"),
        ({"input": True}, "input", "found true"),
        ({"input": {"a": 1}}, "input", "found an object"),
        ({"input": [True]}, "input", "'input[0]' must be a string, a token id"),
        ({"input": [1.5]}, "input", "found 1.5"),
        ({"input": ["a", 1]}, "input", "'input[1]' must be a string like input[0], found 1"),
        ({"input": ["a", None]}, "input", "'input[1]' must be a string like input[0], found null"),
        ({"input": [1, "a"]}, "input", "'input[1]' must be a token id (an integer), found \"a\""),
        ({"input": [1, True]}, "input", "'input[1]' must be a token id"),
        ({"input": [1, 2**63]}, "input", "found 9223372036854775808"),
        ({"input": [1, 10**5000]}, "input", "found a very large integer"),
        ({"input": ["a", ["b"]]}, "input", "found an array"),
        ({"input": [[1], []]}, "input", "'input[1]' must hold at least one token id"),
        ({"input": [[1], "a"]}, "input", "'input[1]' must be an array of token ids like input[0]"),
        ({"input": [[1], [2, 0.5]]}, "input", "'input[1][1]' must be a token id"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format", 'found "int8"'),
        ({"input": "a", "encoding_format": 5}, "encoding_format", "must be 'float' or 'base64'"),
        ({"input": "a", "dimensions": "2"}, "dimensions", "must be an integer"),
        ({"input": "a", "dimensions": True}, "dimensions", "must be an integer"),
    ],
)
def test_a_wrong_body_is_refused_by_name(body: Any, param: str, message: str) -> None:
    with pytest.raises(RequestError) as raised:
        openai_dialect.read(body)
    assert message in str(raised.value)
    assert raised.value.param == param


def test_more_inputs_than_the_limit_are_refused_in_openais_words() -> None:
    openai_dialect.read({"input": ["a"] * 2048})
    with pytest.raises(
        RequestError, match=r"array too long\. Expected .* 2048, .* length 2049"
    ) as raised:
        openai_dialect.read({"input": ["a"] * 2049})
    assert raised.value.reason == "array_above_max_length"


def test_a_long_token_array_is_one_input() -> None:
    read, _ = openai_dialect.read({"input": [5] * 3000})
    assert read.token_ids is not None
    assert len(read.token_ids) == 1


@pytest.mark.parametrize("encoding", [{}, {"encoding_format": None}, {"encoding_format": "float"}])
def test_floats_are_the_default_and_null_is_absent(encoding: dict[str, Any]) -> None:
    data = answer(encoding)["data"]
    assert np.array([d["embedding"] for d in data], np.float32).tolist() == VECTORS.tolist()
    assert [d["index"] for d in data] == [0, 1]


def test_base64_is_little_endian_float32() -> None:
    data = answer({"encoding_format": "base64"})["data"]
    rows = [np.frombuffer(base64.b64decode(d["embedding"]), "<f4") for d in data]
    np.testing.assert_array_equal(np.stack(rows), VECTORS)


def test_the_answer_names_the_model_and_counts_the_tokens() -> None:
    body = answer({"model": "the/model"})
    assert body["model"] == "the/model"
    assert body["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert body["object"] == "list"


@pytest.mark.parametrize("normalized", [True, False])
def test_fewer_dimensions_keep_unit_length_where_there_was_unit_length(normalized: bool) -> None:
    vector = answer({"dimensions": 2}, normalized=normalized)["data"][0]["embedding"]
    np.testing.assert_allclose(vector, [0.6, 0.8] if normalized else [3, 4], rtol=1e-6)


@pytest.mark.parametrize("dimensions", [0, -1, 4])
def test_dimensions_out_of_range_are_refused(dimensions: int) -> None:
    with pytest.raises(RequestError, match="between 1 and 3") as raised:
        answer({"dimensions": dimensions})
    assert raised.value.param == "dimensions"
