"""Inputs that are too long: refused, cut or split, as graph and request say, and told in every dialect."""

import json
from typing import Any

import numpy as np
import pytest

from calcgraph.runtime.errors import GraphError, RequestError
from calcgraph.runtime.payload import Tensor

from .conftest import F32, SIX_NODES, Loader, Model, edited

# The limit of the graphs here, special tokens included, makes a window of 10 words.
LIMIT = 12
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
LONG = " ".join(["zero", *WORDS, "zero"])
OPTIONS = 'models_path: "./"\n      truncate: false'


def graph(options: str = "") -> str:
    return edited(SIX_NODES, F32, (OPTIONS, f'models_path: "./" max_length: {LIMIT} {options}'))


@pytest.fixture(scope="module")
def strict(load: Loader) -> Model:
    return load(graph())


def close(a: Any, b: Any) -> bool:
    return bool(np.abs(np.asarray(a) - np.asarray(b)).max() <= 1e-5)


def test_a_long_input_is_refused_by_name_in_openais_words(strict: Model) -> None:
    with pytest.raises(RequestError) as raised:
        strict.ask(["one", LONG, "two"])
    assert str(raised.value).startswith(
        "This model's maximum context length is 12 tokens, however input[1] has 14 tokens."
    )
    assert (raised.value.param, raised.value.reason) == ("input", "context_length_exceeded")


@pytest.mark.parametrize(
    ("wish", "kept"),
    [
        ({"truncate": True}, " ".join(["zero", *WORDS[:9]])),
        ({"overflow": "truncate"}, " ".join(["zero", *WORDS[:9]])),
        ({"truncate": "left"}, " ".join([*WORDS[1:], "zero"])),
        ({"truncate": "START"}, " ".join([*WORDS[1:], "zero"])),
        ({"truncate": True, "truncation_direction": "Left"}, " ".join([*WORDS[1:], "zero"])),
        ({"truncate_prompt_tokens": 5}, "zero one two"),
        ({"truncate_prompt_tokens": 5, "truncation_side": "left"}, "nine ten zero"),
    ],
)
def test_a_request_may_have_it_cut_and_is_told(
    strict: Model, wish: dict[str, Any], kept: str
) -> None:
    answer = strict.post("/v3/embeddings", {"input": ["one", LONG], **wish})
    assert answer.headers["x-truncated-inputs"] == "1"
    body = strict.answer(["one", LONG], **wish)
    size = wish.get("truncate_prompt_tokens", LIMIT)
    assert body["usage"] == {
        "prompt_tokens": 3 + size,
        "total_tokens": 3 + size,
        "truncated": [{"index": 1, "tokens": 14, "kept": size}],
    }
    assert close(body["data"][1]["embedding"], strict.embed(kept)[0])
    assert close(body["data"][0]["embedding"], strict.embed("one")[0])


def test_in_windows_nothing_is_lost(strict: Model) -> None:
    body = strict.answer([LONG, "one"], overflow="chunk", chunk_overlap=0)
    assert body["usage"]["chunked"] == [{"index": 0, "tokens": 14, "chunks": 2}]
    assert body["usage"]["prompt_tokens"] == 12 + 4 + 3  # each window has special tokens of its own
    first, second = strict.embed([" ".join(["zero", *WORDS[:9]]), "ten zero"])
    mean = 12 * first + 4 * second
    assert close(body["data"][0]["embedding"], mean / np.linalg.norm(mean))
    assert close(body["data"][1]["embedding"], strict.embed("one")[0])


def test_windows_overlap_as_far_as_is_asked(strict: Model) -> None:
    body = strict.answer(LONG, overflow="chunk", chunk_overlap=5)
    first, second = strict.embed([" ".join(["zero", *WORDS[:9]]), " ".join([*WORDS[4:], "zero"])])
    mean = 12 * first + 9 * second
    assert close(body["data"][0]["embedding"], mean / np.linalg.norm(mean))


def test_a_text_of_many_windows_among_others_keeps_its_place(strict: Model) -> None:
    texts = ["one", " ".join(WORDS * 30), "two", LONG, "three"]
    vectors = strict.embed(texts, overflow="chunk")
    alone = np.concatenate([strict.embed(text, overflow="chunk") for text in texts])
    assert close(vectors, alone)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_token_ids_are_cut_and_split_like_their_text(strict: Model) -> None:
    ids = _tokens(strict, LONG)
    for wish in ({"truncate": True}, {"truncate": "left"}, {"overflow": "chunk"}):
        assert close(strict.embed([ids], **wish), strict.embed([LONG], **wish))


def test_token_ids_without_special_tokens_are_cut_as_they_came(strict: Model) -> None:
    own = [*_tokens(strict, LONG)[1:-1], 2053]
    assert close(strict.embed(own, truncate=True), strict.embed(own[:LIMIT]))
    assert close(strict.embed(own, truncate="left"), strict.embed(own[-LIMIT:]))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("truncate: true", "truncated"),
        ("overflow: TRUNCATE", "truncated"),
        ("overflow: TRUNCATE_LEFT", "truncated"),
        ("overflow: CHUNK overlap: 2", "chunked"),
    ],
)
def test_the_graph_says_it_for_requests_that_do_not(
    load: Loader, strict: Model, options: str, told: str
) -> None:
    model = load(graph(options))
    assert list(model.answer(LONG)["usage"])[2:] == [told]
    with pytest.raises(RequestError, match="maximum context length"):
        model.ask(LONG, truncate=False)
    assert model.ask("one") == strict.ask("one")


@pytest.mark.parametrize(
    ("wish", "parameters"),
    [
        ({"truncate": True}, {"prompt_tokens": 3 + 12 + 3, "truncated": "1"}),
        ({"overflow": "chunk", "chunk_overlap": 0}, {"prompt_tokens": 22, "chunked": "1"}),
    ],
)
def test_kserve_has_the_same_ways(
    strict: Model, wish: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """KServe E5, E7."""
    texts = ["one", LONG, "two"]
    tensor = Tensor("input", "BYTES", np.array([text.encode() for text in texts], object))
    answer = strict.infer(tensor, **wish)
    others = {"system_fingerprint", "OVMS_MP_TIMESTAMP"}
    assert {k: v for k, v in answer.parameters.items() if k not in others} == parameters
    assert close(answer.outputs[0].data, strict.embed(texts, **wish))
    with pytest.raises(RequestError, match=r"input\[1\] has 14 tokens"):
        strict.infer(tensor)


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"truncate_prompt_tokens": 13}, "truncate_prompt_tokens"),
        ({"truncate_prompt_tokens": 2}, "truncate_prompt_tokens"),
        ({"overflow": "chunk", "chunk_overlap": 10}, "chunk_overlap"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(
    strict: Model, wish: dict[str, Any], param: str
) -> None:
    with pytest.raises(RequestError) as raised:
        strict.ask("one", **wish)
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("truncate: true overflow: CHUNK", "'overflow' or 'truncate', not both"),
        ("overflow: CHUNK overlap: 10", "overlap of 10 tokens must be less than the 10"),
        ("overflow: CUT", "CHUNK"),
    ],
)
def test_a_graph_that_makes_no_sense_does_not_load(
    load: Loader, options: str, message: str
) -> None:
    with pytest.raises(GraphError) as raised:
        load(graph(options))
    assert message in str(raised.value)
    assert "graph.pbtxt:" in str(raised.value)


def test_a_limit_without_room_for_text_does_not_load(load: Loader) -> None:
    with pytest.raises(GraphError, match="leaves no room for text"):
        load(edited(graph(), (f"max_length: {LIMIT}", "max_length: 2")))


def test_what_was_cut_or_split_is_measured(load: Loader) -> None:
    model = load(graph("overflow: TRUNCATE"))
    long = "one two three four five six seven eight nine ten eleven twelve"
    model.ask(["short", long, long])
    model.ask(long, overflow="chunk")
    counted = {each.name: each.value for each in model.executor.measurements()}
    assert (counted["truncated_inputs"], counted["chunked_inputs"]) == (2, 1)


def _tokens(model: Model, text: str) -> Any:
    return json.loads(model.post("/v3/tokenize", {"text": text}).body)["tokens"]
