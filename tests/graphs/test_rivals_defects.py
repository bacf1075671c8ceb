"""What was found wrong in other embeddings servers is right here: one test a defect, named after it."""

import json
from pathlib import Path

import numpy as np
import pytest

from calcgraph.runtime.errors import RequestError

from .conftest import F32, SIX_NODES, Loader, Model, edited

TEXTS = ["hello", "to be or not to be, that is the question", "a happy person", "ab " * 60]


@pytest.fixture(scope="module")
def model(load: Loader) -> Model:
    return load(edited(SIX_NODES, F32))


def test_token_ids_and_their_text_give_the_same_vector(model: Model) -> None:
    """OVMS sends token types of 1 with token ids; TEI tokenizes them again."""
    tokens = json.loads(model.post("/v3/tokenize", {"text": TEXTS}).body)["tokens"]
    np.testing.assert_allclose(model.embed(tokens), model.embed(TEXTS), atol=1e-6)
    assert model.answer(tokens)["usage"] == model.answer(TEXTS)["usage"]


@pytest.mark.parametrize("dimensions", [1, 2, 100, 383, 384])
def test_shortened_vectors_have_unit_length(model: Model, dimensions: int) -> None:
    """Infinity cuts and does not normalize again."""
    vectors = model.embed(TEXTS, dimensions=dimensions)
    assert vectors.shape == (4, dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("dimensions", [0, -1, 385, 1.5, "8", True, []])
def test_impossible_dimensions_are_refused_by_name(model: Model, dimensions: object) -> None:
    """OVMS ignores the field, so that the mistake shows in the vector store."""
    with pytest.raises(RequestError) as raised:
        model.ask("x", dimensions=dimensions)
    assert raised.value.param == "dimensions"


def test_usage_counts_the_tokenizers_tokens_special_ones_included(model: Model) -> None:
    """Infinity counts characters."""
    tokens = json.loads(model.post("/v3/tokenize", {"text": TEXTS}).body)["tokens"]
    usage = model.answer(TEXTS)["usage"]
    assert usage["prompt_tokens"] == usage["total_tokens"] == sum(map(len, tokens))


def test_a_client_batch_larger_than_any_batch_is_split_and_keeps_its_order(model: Model) -> None:
    """TEI refuses more than 32 inputs; OVMS makes one giant tensor of them."""
    texts = [f"number {i}" for i in range(300)]
    vectors = model.embed(texts)
    some = [0, 31, 32, 33, 255, 299]
    alone = np.concatenate([model.embed(texts[i]) for i in some])
    assert np.abs(vectors[some] - alone).max() <= 1e-5


@pytest.mark.slow
def test_the_largest_batch_of_openais_is_answered(model: Model) -> None:
    """The same with 2,048 inputs; one more is OpenAI's own 400."""
    answer = model.answer([f"text {i}" for i in range(2048)])
    assert [row["index"] for row in answer["data"]] == list(range(2048))
    with pytest.raises(RequestError, match="array too long"):
        model.ask(["x"] * 2049)


def test_last_token_pooling_is_right_with_a_tokenizer_that_pads_left(
    load: Loader, minilm: Path
) -> None:
    """Servers that pad take the vector of a padding token, or of another position (Qwen3)."""
    spec = json.loads((minilm / "tokenizer.json").read_text())
    spec["padding"] = {
        "strategy": "BatchLongest",
        "direction": "Left",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    last = edited(SIX_NODES, F32, ("pooling: MEAN", "pooling: LAST"))
    model = load(last, {"tokenizer.json": json.dumps(spec).encode()})
    plain = load(last)
    together = model.embed(TEXTS)
    alone = np.concatenate([plain.embed(text) for text in TEXTS])
    assert np.abs(together - alone).max() <= 1e-5
