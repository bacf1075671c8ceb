"""What a folder must hold to be a reranker, and what its files say about the score."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from calcgraph.calculators.engine import ModelUnreadable, ModelUnsuitable, Pooling
from calcgraph.calculators.rerank.scorer import Scorer
from calcgraph.calculators.rerank.token_scores import Answers, token_scorer
from calcgraph.calculators.tokenization.pairs import TypedIds
from calcgraph.tools.cross_encoder import build_cross_encoder

RERANKERS = Path(__file__).parents[2] / "data" / "rerankers"
F32 = {"INFERENCE_PRECISION_HINT": "f32"}
PAIR = np.array([[2, 70, 71, 3, 80, 81, 82, 3], [0, 0, 0, 0, 1, 1, 1, 1]])


def score(folder: Path, sequences: Iterable[TypedIds]) -> list[float]:
    async def ask(scorer: Scorer) -> list[float]:
        return [float(number) for number in await scorer.score(list(sequences))]

    scorer = Scorer.open(folder, plugin_config=F32)
    try:
        return asyncio.run(ask(scorer))
    finally:
        scorer.close()


def linked(source: Path, folder: Path) -> Path:
    for path in source.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def run(model: ov.Model, ids: Any, types: Any) -> Any:
    request = ov.Core().compile_model(model, "CPU", F32).create_infer_request()
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
    request.start_async({port.get_any_name(): feeds[port.get_any_name()] for port in model.inputs})
    request.wait()
    return request.get_output_tensor(0).data.copy()


def test_every_token_has_the_score_it_would_have_as_the_first() -> None:
    scorer = token_scorer(ov.Core(), build_cross_encoder(RERANKERS / "bert"), None)
    assert (scorer.read_at, scorer.typed, scorer.vocabulary) == (Pooling.CLS, True, 320)
    ids, types = PAIR[:, None]
    tokens = run(scorer.model, 2 * ids + types, types)
    assert tokens.shape == (1, 8, 1)
    own = run(build_cross_encoder(RERANKERS / "bert"), ids, types)
    np.testing.assert_allclose(tokens[:, 0], own, atol=1e-5)
    assert np.abs(np.diff(tokens[0, :, 0])).min() > 1e-4


def test_of_two_labels_the_second_is_relevance() -> None:
    model = build_cross_encoder(RERANKERS / "roberta")
    logits = model.outputs[0].get_node().input_value(0)
    both = op.concat([op.multiply(logits, np.float32(0.5)), op.multiply(logits, np.float32(2))], 1)
    both.output(0).get_tensor().set_names({"logits"})
    two = ov.Model([op.result(both)], model.get_parameters())
    ids = np.array([[0, 70, 2, 2, 80, 81, 2]])
    expected = run(two.clone(), ids, ids)[0]
    found = run(token_scorer(ov.Core(), two, None).model, ids, ids)[0, 0]
    assert found == pytest.approx(expected[1] - expected[0], abs=1e-5)


def test_the_words_for_relevant_and_not_may_be_named_by_the_model(tmp_path: Path) -> None:
    folder = linked(RERANKERS / "qwen3", tmp_path)
    [usual] = score(folder, [PAIR])
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    config = {"true_token_id": vocabulary["no"], "false_token_id": vocabulary["yes"]}
    (folder / "1_LogitScore").mkdir()
    (folder / "1_LogitScore" / "config.json").write_text(json.dumps(config))
    assert score(folder, [PAIR]) == [pytest.approx(-usual, abs=1e-5)]


@pytest.mark.parametrize(
    ("files", "activation"),
    [
        ({}, "IDENTITY"),
        ({"config.json": {}}, "SIGMOID"),
        (
            {"config.json": {"sbert_ce_default_activation_function": "torch.nn.Identity"}},
            "IDENTITY",
        ),
        (
            {
                "config_sentence_transformers.json": {
                    "activation_fn": "torch.nn.modules.activation.Sigmoid"
                }
            },
            "SIGMOID",
        ),
    ],
)
def test_the_activation_is_what_cross_encoder_would_take(
    tmp_path: Path, files: dict[str, dict[str, Any]], activation: str
) -> None:
    folder = linked(RERANKERS / "bert", tmp_path)
    ov.save_model(build_cross_encoder(folder), folder / "openvino_model.xml")
    for name, content in files.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(json.dumps(content))
    scorer = Scorer.open(folder)
    scorer.close()
    assert scorer.activation == activation


def test_a_tokenizer_of_another_model_is_noticed(tmp_path: Path) -> None:
    ov.save_model(build_cross_encoder(RERANKERS / "bert"), tmp_path / "openvino_model.xml")
    with pytest.raises(ValueError, match="gives id 320, the model has 320 words"):
        score(tmp_path, [PAIR, np.array([[320], [0]])])


def test_a_model_that_reads_less_than_asked_is_named_by_its_own_path(tmp_path: Path) -> None:
    ov.save_model(build_cross_encoder(RERANKERS / "bert"), tmp_path / "openvino_model.xml")
    with pytest.raises(ModelUnsuitable, match="max_tokens is 97") as raised:
        Scorer.open(tmp_path, max_tokens=97)
    assert str(tmp_path / "openvino_model.xml") in str(raised.value)


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelUnreadable, match=r"openvino_model\.xml: there is no such file"):
        Scorer.open(tmp_path)
    (tmp_path / "openvino_model.xml").write_text("no model")
    (tmp_path / "openvino_model.bin").write_bytes(b"")
    with pytest.raises(ModelUnreadable, match="cannot read the model"):
        Scorer.open(tmp_path)


def parameter(name: str) -> Any:
    found = op.parameter([-1, -1], ov.Type.i64, name=name)
    found.output(0).get_tensor().set_names({name})
    return found


def table_model(columns: int, *inputs: str) -> ov.Model:
    """Looks up a row of numbers a token, and takes those of the first."""
    parameters = [parameter(name) for name in ("input_ids", *inputs)]
    table = op.constant(np.eye(50, columns, dtype=np.float32))
    vectors = op.gather(table, parameters[0], np.int64(0))
    first = op.gather(vectors, np.int64(0), np.int64(1))
    first.output(0).get_tensor().set_names({"logits"})
    return ov.Model([op.result(first)], parameters)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (table_model(3), "the model has 3 labels: a reranker has 1, or 2"),
        (table_model(1, "beam_idx"), "has to be exported without its cache"),
        (table_model(1, "pixel_values"), "has inputs input_ids, pixel_values: expected input_ids"),
    ],
)
def test_what_is_no_reranker_is_refused(model: ov.Model, message: str) -> None:
    with pytest.raises(ModelUnsuitable) as raised:
        token_scorer(ov.Core(), model, None)
    assert message in str(raised.value)


def test_a_language_model_needs_words_for_its_answer() -> None:
    model = ov.Core().read_model(RERANKERS / "qwen3" / "openvino_model.xml")
    with pytest.raises(ModelUnsuitable, match=r"neither modules\.json nor tokenizer\.json"):
        token_scorer(ov.Core(), model, None)
    with pytest.raises(ModelUnsuitable, match="gives 640 numbers a token"):
        token_scorer(ov.Core(), model, Answers(640, None))
