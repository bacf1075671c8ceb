"""The fingerprint tells two models apart that would give other vectors; the canary keeps a broken one out."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calcgraph.calculators.canary import read_canary
from calcgraph.runtime.errors import Code, GraphError, RequestError
from calcgraph.runtime.payload import Tensor

from .conftest import F32, ONE_NODE, SIX_NODES, Loader, Model, edited

TEXT = Tensor("input", "BYTES", np.array([b"x"], object))
FOREIGN = "fp_0000000000000000"


@pytest.fixture(scope="module")
def model(load: Loader) -> Model:
    return load(edited(SIX_NODES, F32))


def fingerprint(model: Model) -> str:
    return model.executor.metadata.fingerprint


def test_every_answer_says_which_model_gave_it(model: Model) -> None:
    name = fingerprint(model)
    assert name.startswith("fp_") and len(name) == 19
    assert model.executor.metadata.details["fingerprint"] == name
    answer = model.post("/v3/embeddings", {"input": "x"})
    assert json.loads(answer.body)["system_fingerprint"] == name
    for path, body in (("embeddings", {"input": "x"}), ("tokenize", {"text": "x"})):
        assert model.post(f"/v3/{path}", body).headers["x-system-fingerprint"] == name
    assert model.infer(TEXT).parameters["system_fingerprint"] == name


@pytest.mark.parametrize(
    "edit",
    [
        ("truncate: false", "overflow: CHUNK max_length: 16"),
        ('name: "pooling"', 'name: "mean"'),
        ('calculator: "HttpInput"', 'calculator: "HttpInput" # the way in'),
    ],
)
def test_what_changes_no_vector_changes_no_fingerprint(
    load: Loader, model: Model, edit: tuple[str, str]
) -> None:
    assert fingerprint(load(edited(SIX_NODES, F32, edit))) == fingerprint(model)


def test_both_forms_of_the_graph_have_one_fingerprint(load: Loader, model: Model) -> None:
    assert fingerprint(load(edited(ONE_NODE, F32))) == fingerprint(model)


def test_what_changes_a_vector_changes_the_fingerprint(
    load: Loader, model: Model, minilm: Path
) -> None:
    tokenizer = (minilm / "tokenizer.json").read_bytes() + b"\n"
    weights = bytearray((minilm / "openvino_model.bin").read_bytes())
    weights[-1] ^= 1
    others = [
        load(edited(SIX_NODES, F32, ("pooling: MEAN", "pooling: CLS"))),
        load(edited(SIX_NODES, F32, ("enabled: true", "enabled: false"))),
        load(edited(SIX_NODES, (F32[0], F32[1].replace("f32", "bf16")))),
        load(edited(SIX_NODES, F32), {"tokenizer.json": tokenizer}),
        load(edited(SIX_NODES, F32), {"openvino_model.bin": bytes(weights)}),
    ]
    assert len({fingerprint(each) for each in (model, *others)}) == 6


def test_a_node_of_somebodys_own_counts_with_its_options(load: Loader, model: Model) -> None:
    tap = 'node { calculator: "PassThroughCalculator" input_stream: "input" output_stream: "o" }'
    assert fingerprint(load(edited(SIX_NODES, F32) + tap)) != fingerprint(model)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"expected_fingerprint": FOREIGN}, {}),
        ({"expected_fingerprint": 5}, {}),
        ({}, {"x_expected_fingerprint": FOREIGN}),
    ],
)
def test_another_model_than_expected_is_a_conflict(
    model: Model, body: dict[str, Any], headers: dict[str, str]
) -> None:
    with pytest.raises(RequestError) as raised:
        model.post("/v3/embeddings", {"input": "x", **body}, **headers)
    assert fingerprint(model) in str(raised.value)
    assert raised.value.code is Code.ABORTED
    assert raised.value.reason == "fingerprint_mismatch"
    assert raised.value.param == "expected_fingerprint"


def test_the_expected_model_answers(model: Model) -> None:
    name = fingerprint(model)
    assert model.answer("x", expected_fingerprint=name)["data"]
    assert model.post("/v3/embeddings", {"input": "x"}, x_expected_fingerprint=name).body
    assert model.infer(TEXT, expected_fingerprint=name).outputs
    with pytest.raises(RequestError) as raised:
        model.infer(TEXT, expected_fingerprint=FOREIGN)
    assert raised.value.code is Code.ABORTED


def test_a_broken_model_is_never_ready(load: Loader, minilm: Path) -> None:
    weights = np.fromfile(minilm / "openvino_model.bin", np.uint8)
    weights[60_000_000:70_000_000] = 0
    with pytest.raises(GraphError) as raised:
        load(edited(SIX_NODES, F32), {"openvino_model.bin": weights.tobytes()})
    message = str(raised.value)
    assert "node 'encoder': the model is not what it was when it was prepared" in message
    assert "vector of the canary text '" in message
    assert "expected at least 0.999 in f32" in message


def test_a_tokenizer_of_another_model_is_never_ready(load: Loader, minilm: Path) -> None:
    spec = json.loads((minilm / "tokenizer.json").read_text())
    spec["normalizer"]["lowercase"] = False
    with pytest.raises(GraphError) as raised:
        load(SIX_NODES, {"tokenizer.json": json.dumps(spec).encode()})
    assert "node 'tokenizer': the tokenizer gives [101, " in str(raised.value)
    assert "for the canary text 'A happy person" in str(raised.value)
    assert "delete its canary.npz" in str(raised.value)


def test_a_model_without_a_canary_is_taken_at_its_word(load: Loader) -> None:
    assert load(SIX_NODES, {"canary.npz": None}).embed("x").shape == (1, 384)


def test_a_model_whose_encoder_is_not_fused_is_checked_too(load: Loader, minilm: Path) -> None:
    canary = read_canary(minilm)
    assert canary is not None
    file = io.BytesIO()
    with np.load(minilm / "canary.npz") as stored:
        np.savez(file, **{**stored, "MEAN": -stored["MEAN"]})
    tap = 'node { calculator: "PassThroughCalculator" input_stream: "token_embeddings" output_stream: "o" }'
    with pytest.raises(GraphError, match=r"has a cosine of -1\.0000"):
        load(edited(SIX_NODES, F32) + tap, {"canary.npz": file.getvalue()})


def test_a_canary_that_is_none_is_named(load: Loader) -> None:
    with pytest.raises(GraphError, match=r"canary\.npz is no canary that `calcgraph pull` wrote"):
        load(SIX_NODES, {"canary.npz": b"PK"})
