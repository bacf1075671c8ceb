"""OpenAI's request body is read as its clients mean it, and what is wrong is named."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest

from calcgraph.calculators import openai_dialect
from calcgraph.calculators.lengths import LengthWish, Overflow, TooLong
from calcgraph.calculators.values import Answer, Embeddings, PromptWish, TextInput, Tokens
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest, HttpResponse

VECTORS = np.array([[3.0, 4.0, 0.0], [0.0, 1.0, 0.1]], np.float32)


TOKENS = Tokens([np.zeros(3, np.int64), np.zeros(4, np.int64)])


def read(body: Any, **headers: str) -> tuple[TextInput, Answer]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return openai_dialect.read(HttpRequest("/v3/embeddings", body, names))


def respond(
    body: dict[str, Any], *, normalized: bool = False, tokens: Tokens = TOKENS, **headers: str
) -> HttpResponse:
    _, wanted = read({"model": "m", "input": "x", **body}, **headers)
    response = wanted.write(Embeddings(vectors=VECTORS, normalized=normalized), tokens, "fp_1")
    assert isinstance(response, HttpResponse)
    return response


def answer(body: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(respond(body, **kwargs).body)
    return parsed


@pytest.mark.parametrize(
    ("value", "texts"),
    [("a", ["a"]), ("", [""]), (["a", "b"], ["a", "b"])],
)
def test_texts_are_read(value: Any, texts: list[str]) -> None:
    found, _ = read({"input": value})
    assert found.texts == texts
    assert found.token_ids is None


@pytest.mark.parametrize(
    ("value", "ids"), [([1, 2], [[1, 2]]), ([[1], [2, 3]], [[1], [2, 3]]), ([0], [[0]])]
)
def test_token_ids_are_read(value: Any, ids: list[list[int]]) -> None:
    found, _ = read({"input": value})
    assert found.texts is None
    assert found.token_ids is not None
    assert [list(sequence) for sequence in found.token_ids] == ids


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
        ({"input": "a", "embedding_types": "int8"}, "embedding_types", "must be an array of types"),
        ({"input": "a", "embedding_types": []}, "embedding_types", "must be an array of types"),
        ({"input": "a", "embedding_types": ["int4"]}, "embedding_types", 'found "int4"'),
        ({"input": "a", "truncate": 1}, "truncate", "must be one of true, false"),
        ({"input": "a", "truncate": "middle"}, "truncate", 'found "middle"'),
        ({"input": "a", "overflow": "cut"}, "overflow", '"chunk"; found "cut"'),
        ({"input": "a", "overflow": True}, "overflow", "found true"),
        ({"input": "a", "overflow": "chunk", "truncate": True}, "overflow", "give one of them"),
        ({"input": "a", "truncation_side": "up"}, "truncation_side", '"left", "right"'),
        ({"input": "a", "truncate_prompt_tokens": 0}, "truncate_prompt_tokens", "at least 1"),
        ({"input": "a", "truncate_prompt_tokens": "9"}, "truncate_prompt_tokens", "an integer"),
        ({"input": "a", "chunk_overlap": -1}, "chunk_overlap", "at least 0"),
        ({"input": "a", "prompt_name": 1}, "prompt_name", "must be a string"),
        ({"input": "a", "prompt_name": "q", "instruction": "i"}, "prompt_name", "exclude"),
    ],
)
def test_a_wrong_body_is_refused_by_name(body: Any, param: str, message: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(body)
    assert message in str(raised.value)
    assert raised.value.param == param


def test_more_inputs_than_the_limit_are_refused_in_openais_words() -> None:
    read({"input": ["a"] * 2048})
    with pytest.raises(
        RequestError, match=r"array too long\. Expected .* 2048, .* length 2049"
    ) as raised:
        read({"input": ["a"] * 2049})
    assert raised.value.reason == "array_above_max_length"


def test_a_long_token_array_is_one_input() -> None:
    found, _ = read({"input": [5] * 3000})
    assert found.token_ids is not None
    assert len(found.token_ids) == 1


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


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        ({}, None),
        ({"user": "u", "stream": True}, None),
        ({"truncate": None}, LengthWish()),
        ({"truncate": True}, LengthWish(Overflow.TRUNCATE)),
        ({"truncate": False}, LengthWish(Overflow.ERROR)),
        ({"truncate": "left"}, LengthWish(Overflow.TRUNCATE_LEFT)),
        ({"truncate": "START"}, LengthWish(Overflow.TRUNCATE_LEFT)),
        ({"truncate": "END"}, LengthWish(Overflow.TRUNCATE)),
        ({"truncate": "NONE"}, LengthWish(Overflow.ERROR)),
        ({"truncate": True, "truncation_direction": "Left"}, LengthWish(Overflow.TRUNCATE, "left")),
        ({"truncation_side": "left"}, LengthWish(side="left")),
        ({"truncate_prompt_tokens": 9}, LengthWish(Overflow.TRUNCATE, limit=9)),
        ({"truncate_prompt_tokens": -1}, LengthWish(Overflow.TRUNCATE)),
        ({"truncate_prompt_tokens": 9, "overflow": "chunk"}, LengthWish(Overflow.CHUNK, limit=9)),
        ({"overflow": "chunk", "chunk_overlap": 4}, LengthWish(Overflow.CHUNK, overlap=4)),
    ],
)
def test_lengths_are_wished_in_the_words_of_every_server(
    body: dict[str, Any], wish: LengthWish | None
) -> None:
    assert read({"input": "x", **body})[0].length == wish


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        ({"prompt_name": None}, None),
        ({"prompt_name": "sts"}, PromptWish("sts")),
        ({"input_type": "search_query"}, PromptWish(input_type="query")),
        ({"input_type": "Passage"}, PromptWish(input_type="document")),
        ({"instruction": "Find it"}, PromptWish(instruction="Find it")),
    ],
)
def test_prompts_are_wished_by_name_by_use_or_in_full(
    body: dict[str, Any], wish: PromptWish | None
) -> None:
    assert read({"input": "x", **body})[0].prompt == wish


def test_every_answer_carries_the_fingerprint() -> None:
    response = respond({})
    assert json.loads(response.body)["system_fingerprint"] == "fp_1"
    assert response.headers == {"x-system-fingerprint": "fp_1"}


def test_what_was_cut_or_split_is_told() -> None:
    tokens = Tokens(TOKENS.sequences, [TooLong(0, 9, 3), TooLong(1, 8, 8, windows=2)])
    response = respond({}, tokens=tokens)
    usage = json.loads(response.body)["usage"]
    assert usage["truncated"] == [{"index": 0, "tokens": 9, "kept": 3}]
    assert usage["chunked"] == [{"index": 1, "tokens": 8, "chunks": 2}]
    assert response.headers["x-truncated-inputs"] == "1"


def test_each_vector_comes_in_the_types_that_are_asked_for() -> None:
    data = answer({"embedding_types": ["float", "int8", "binary", "ubinary", "int8"]})["data"]
    assert data[0]["embedding"] == {
        "float": [3.0, 4.0, 0.0],
        "int8": [95, 127, 0],
        "binary": [0b11000000 - 128],
        "ubinary": [0b11000000],
    }


def test_types_in_base64_are_their_bytes() -> None:
    body = {"embedding_types": ["int8", "float"], "encoding_format": "base64"}
    [first, _] = answer(body)["data"]
    assert list(np.frombuffer(base64.b64decode(first["embedding"]["int8"]), np.int8)) == [
        95,
        127,
        0,
    ]
    assert list(np.frombuffer(base64.b64decode(first["embedding"]["float"]), "<f4")) == [3, 4, 0]


def test_bare_rows_tell_their_shape_in_headers() -> None:
    response = respond({"model": "a/b ü"}, Accept="application/octet-stream, */*;q=0.1")
    assert response.content_type == "application/octet-stream"
    np.testing.assert_array_equal(np.frombuffer(response.body, "<f4").reshape(2, 3), VECTORS)
    assert response.headers == {
        "x-model": "a/b%20%C3%BC",
        "x-embedding-shape": "2,3",
        "x-embedding-dtype": "float32",
        "x-usage-prompt-tokens": "7",
        "x-usage-total-tokens": "7",
        "x-system-fingerprint": "fp_1",
    }


@pytest.mark.parametrize(("kind", "dtype"), [("float", "float32"), ("ubinary", "uint8")])
def test_a_npy_file_can_be_loaded_as_it_is(kind: str, dtype: str) -> None:
    response = respond({"embedding_types": [kind]}, Accept="application/x-npy")
    rows = np.load(io.BytesIO(response.body))
    assert (rows.dtype.name, len(rows)) == (dtype, 2)


def test_bare_rows_are_of_one_type() -> None:
    with pytest.raises(RequestError, match="must name one type"):
        respond({"embedding_types": ["float", "int8"]}, Accept="application/x-npy")


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "application/json, application/octet-stream"]
)
def test_json_is_the_answer_unless_bare_rows_come_first(accept: str) -> None:
    assert respond({}, Accept=accept).content_type == "application/json"
