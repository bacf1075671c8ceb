"""`tokenize` and `detokenize` on the embeddings graph: OVMS's fields and answers, and the way back."""

import json
from typing import Any

import pytest

from calcgraph.runtime.errors import RequestError

from .conftest import SIX_NODES, Loader, Model

HELLO = [101, 7592, 2088, 102]


@pytest.fixture(scope="module")
def model(load: Loader) -> Model:
    return load(SIX_NODES)


def tokenize(model: Model, text: Any, **body: Any) -> Any:
    return json.loads(model.post("/v3/tokenize", {"text": text, **body}).body)


def detokenize(model: Model, tokens: Any) -> Any:
    return json.loads(model.post("/v1/detokenize", {"tokens": tokens}).body)


@pytest.mark.parametrize(
    ("text", "body", "tokens"),
    [
        ("hello world", {}, HELLO),
        ("hello world", {"add_special_tokens": None}, HELLO),
        ("hello world", {"add_special_tokens": False}, [7592, 2088]),
        (["hello world"], {}, HELLO),  # as OVMS answers an array of one
        (["hello", "hello world"], {}, [[101, 7592, 102], HELLO]),
        ("", {}, [101, 102]),
        ("hello world", {"max_length": 3}, [101, 7592, 102]),
        ("hello world", {"max_length": 1}, [101]),
        ("hello world", {"max_length": 1, "add_special_tokens": False}, [7592]),
        ("hello world", {"max_length": 6}, HELLO),
        ("hello world", {"max_length": 6, "pad_to_max_length": True}, [*HELLO, 0, 0]),
        (
            ["hello", "hello world"],
            {"max_length": 5, "pad_to_max_length": True, "padding_side": "left"},
            [[0, 0, 101, 7592, 102], [0, *HELLO]],
        ),
        (["hello", "hello world"], {"padding_side": "left"}, [[101, 7592, 102], HELLO]),
    ],
)
def test_tokens_come_as_ovms_gives_them(
    model: Model, text: Any, body: dict[str, Any], tokens: Any
) -> None:
    assert tokenize(model, text, **body) == {"tokens": tokens}


def test_padding_without_a_length_goes_to_what_the_model_reads(model: Model) -> None:
    assert len(tokenize(model, "hello", pad_to_max_length=True)["tokens"]) == 256


def test_a_text_of_any_length_is_tokenized_whole(model: Model) -> None:
    assert len(tokenize(model, "word " * 3000)["tokens"]) == 3002


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "text", "must be a string or an array of strings, found null"),
        ({"text": []}, "text", "must not be an empty array"),
        ({"text": [1, 2]}, "text", "'text[0]' must be a string, found 1"),
        ({"text": ["a", None]}, "text", "'text[1]' must be a string, found null"),
        ({"text": ["a"] * 2049}, "text", "at most 2048 elements, found 2049"),
        ({"text": "a", "max_length": 0}, "max_length", "between 1 and 65536"),
        ({"text": "a", "max_length": 10**6}, "max_length", "between 1 and 65536"),
        ({"text": "a", "max_length": "3"}, "max_length", "must be an integer"),
        ({"text": "a", "pad_to_max_length": 1}, "pad_to_max_length", "true or false"),
        ({"text": "a", "add_special_tokens": "no"}, "add_special_tokens", "true or false"),
        ({"text": "a", "padding_side": "top"}, "padding_side", "'left' or 'right'"),
        ({"text": "a", "padding_side": True}, "padding_side", "must be a string"),
    ],
)
def test_a_wrong_field_is_named(
    model: Model, body: dict[str, Any], param: str, message: str
) -> None:
    with pytest.raises(RequestError) as raised:
        model.post("/v3/v1/tokenize/", body)
    assert message in str(raised.value)
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (HELLO, "hello world"),
        ([7592], "hello"),
        ([HELLO], ["hello world"]),
        ([HELLO, [7592]], ["hello world", "hello"]),
    ],
)
def test_detokenize_gives_the_text_without_special_tokens(
    model: Model, tokens: Any, text: Any
) -> None:
    assert detokenize(model, tokens) == {"text": text}


def test_a_long_text_comes_back(model: Model) -> None:
    text = " ".join(["to be or not to be"] * 1000)
    assert detokenize(model, tokenize(model, text)["tokens"]) == {"text": text}


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (None, "must be an array of token ids"),
        ([], "must hold at least one token id"),
        ([[101], 102], "'tokens[1]' must be an array of token ids like tokens[0], found 102"),
        ([101, "a"], "'tokens[1]' must be a token id"),
        ([-1], "token id -1 is outside this model's vocabulary (30522)"),
        ([101, 30522], "token id 30522 is outside this model's vocabulary (30522)"),
    ],
)
def test_what_is_no_token_is_refused(model: Model, tokens: Any, message: str) -> None:
    with pytest.raises(RequestError) as raised:
        detokenize(model, tokens)
    assert message in str(raised.value)
    assert raised.value.param == "tokens"


def test_the_model_still_embeds_after_tokens_were_asked(model: Model) -> None:
    before = model.settle().embed("hello")
    tokenize(model, "hello")
    assert (model.embed("hello") == before).all()
