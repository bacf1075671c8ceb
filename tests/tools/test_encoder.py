import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from calcgraph.tools.encoder import build_encoder
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.prepare import save_encoder

DATA = Path(__file__).parents[1] / "data"
MINIATURES = ["bert", "roberta", "xlm-roberta"]


def infer(model: ov.Model, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    request = (
        ov.Core()
        .compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        .create_infer_request()
    )
    request.start_async(dict(inputs))
    request.wait()
    return request.get_output_tensor().data.copy()


def expected(name: str) -> tuple[dict[str, NDArray[Any]], NDArray[np.float32]]:
    with np.load(DATA / "encoders" / name / "expected.npz") as stored:
        arrays = dict(stored)
    return arrays, arrays.pop("last_hidden_state")


@pytest.mark.parametrize("name", MINIATURES)
def test_a_padded_batch_equals_torch(name: str) -> None:
    inputs, answer = expected(name)
    np.testing.assert_allclose(
        infer(build_encoder(DATA / "encoders" / name), inputs), answer, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", MINIATURES)
def test_a_text_is_the_same_alone_and_padded(name: str) -> None:
    inputs, answer = expected(name)
    lengths = inputs["attention_mask"].sum(axis=1)
    model = build_encoder(DATA / "encoders" / name)
    for row, length in enumerate(lengths):
        alone = {key: array[row : row + 1, :length] for key, array in inputs.items()}
        np.testing.assert_allclose(infer(model, alone)[0], answer[row, :length], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", MINIATURES)
def test_the_stored_answers_notice_a_wrong_mask(name: str) -> None:
    inputs, answer = expected(name)
    inputs["attention_mask"] = np.ones_like(inputs["attention_mask"])
    assert np.abs(infer(build_encoder(DATA / "encoders" / name), inputs) - answer).max() > 1e-2


@pytest.mark.parametrize("name", MINIATURES)
def test_a_row_that_is_masked_whole_is_finite(name: str) -> None:
    inputs, _ = expected(name)
    inputs["attention_mask"] = np.zeros_like(inputs["attention_mask"])
    assert np.isfinite(infer(build_encoder(DATA / "encoders" / name), inputs)).all()


def test_the_default_model_equals_sentence_transformers(minilm: Path) -> None:
    goldens = json.loads((DATA / "minilm_goldens.json").read_text("ascii"))
    model = ov.Core().compile_model(
        minilm / "openvino_model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    request = model.create_infer_request()
    pooled: dict[str, list[NDArray[np.float32]]] = {"mean": [], "cls": []}
    for ids in goldens["token_ids"]:
        row = np.array([ids], np.int64)
        request.start_async(
            {
                "input_ids": row,
                "attention_mask": np.ones_like(row),
                "token_type_ids": np.zeros_like(row),
            }
        )
        request.wait()
        hidden = request.get_output_tensor().data[0]
        pooled["mean"].append(hidden.mean(axis=0))
        pooled["cls"].append(hidden[0].copy())
    with np.load(DATA / "minilm_goldens.npz") as answers:
        for pooling, rows in pooled.items():
            vectors = np.stack(rows)
            np.testing.assert_allclose(vectors, answers[pooling], rtol=0, atol=1e-5)
            unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            np.testing.assert_allclose(unit, answers[f"{pooling}_normalized"], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("weight_format", "tolerance", "share"), [("fp32", 1e-5, 4), ("fp16", 5e-3, 2)]
)
def test_weights_are_stored_as_asked(
    tmp_path: Path, weight_format: str, tolerance: float, share: int
) -> None:
    source = DATA / "encoders" / "roberta"
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    save_encoder(tmp_path, weight_format)
    inputs, answer = expected("roberta")
    saved = ov.Core().read_model(tmp_path / "openvino_model.xml")
    np.testing.assert_allclose(infer(saved, inputs), answer, rtol=0, atol=tolerance)
    weights = sum(
        array.size for name, array in body(source).items() if not name.startswith("lm_head")
    )
    size = (tmp_path / "openvino_model.bin").stat().st_size
    assert weights * share <= size < weights * share * 1.05


def body(folder: Path) -> dict[str, NDArray[Any]]:
    return load_file(folder / "model.safetensors")


def test_the_graph_can_be_rewritten_for_packing() -> None:
    model = build_encoder(DATA / "encoders" / "roberta")
    kinds = [node.get_type_name() for node in model.get_ordered_ops()]
    assert kinds.count("ScaledDotProductAttention") == 2
    positions = [
        n for n in model.get_ordered_ops() if "position_embeddings" in n.get_friendly_name()
    ]
    assert [n.get_friendly_name() for n in positions if n.get_type_name() == "Gather"] == [
        "embeddings.position_embeddings/Gather"
    ]
    assert [i.get_any_name() for i in build_encoder(DATA / "encoders" / "bert").inputs] == [
        "input_ids",
        "attention_mask",
        "token_type_ids",
    ]
    assert [i.get_any_name() for i in model.inputs] == ["input_ids", "attention_mask"]
    assert model.output("last_hidden_state").get_partial_shape() == ov.PartialShape([-1, -1, 32])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model_type": "deberta-v2"},
            'model_type is "deberta-v2"; supported are bert, roberta, xlm-roberta',
        ),
        ({"model_type": None}, "model_type is null"),
        ({"position_embedding_type": "relative_key"}, '"relative_key"; supported are absolute'),
        ({"hidden_act": "swish"}, 'hidden_act is "swish"; supported are gelu,'),
        ({"is_decoder": True}, "describes a decoder; supported are encoders"),
        ({"num_attention_heads": 5}, "hidden_size 32 is not a multiple of num_attention_heads 5"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0; a positive integer was expected"),
        ({"num_hidden_layers": 3}, "it lacks encoder.layer.2.attention.self.query.weight, "),
        ({"num_hidden_layers": 1}, "it has the unexpected encoder.layer.1."),
        ({"vocab_size": 201}, "embeddings.word_embeddings.weight [200, 32] (expected [201, 32])"),
    ],
)
def test_a_config_that_does_not_fit_says_why(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    source = DATA / "encoders" / "bert"
    config = json.loads((source / "config.json").read_text()) | changes
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").symlink_to(source / "model.safetensors")
    with pytest.raises(PreparationError) as raised:
        build_encoder(tmp_path)
    assert message in str(raised.value)


def test_a_cross_encoder_is_refused_by_its_classifier(tmp_path: Path) -> None:
    source = DATA / "encoders" / "roberta"
    tensors = body(source) | {"classifier.out_proj.weight": np.zeros((1, 32), np.float32)}
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    with pytest.raises(
        PreparationError, match=r"it has the unexpected classifier\.out_proj\.weight$"
    ):
        build_encoder(tmp_path)


def test_the_tensor_names_of_tensorflow_are_read(tmp_path: Path) -> None:
    source = DATA / "encoders" / "roberta"
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): array
        for name, array in body(source).items()
    }
    assert any(name.endswith("gamma") for name in old)
    save_file(old, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    inputs, answer = expected("roberta")
    np.testing.assert_allclose(infer(build_encoder(tmp_path), inputs), answer, rtol=0, atol=1e-5)


def test_a_file_that_is_cut_short_is_no_model(tmp_path: Path) -> None:
    source = DATA / "encoders" / "bert"
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(PreparationError, match="is not a whole safetensors file"):
        build_encoder(tmp_path)
