"""Rerankers built without torch give torch's logits, and say what they cannot build."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from tokenizers import Tokenizer

from calcgraph.tools.cross_encoder import build_cross_encoder
from calcgraph.tools.encoder_config import is_cross_encoder
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.prepare import prepare

DATA = Path(__file__).parents[1] / "data"
RERANKERS = DATA / "rerankers"


@pytest.mark.parametrize("name", ["bert", "roberta", "xlm-roberta"])
def test_a_padded_batch_gives_torchs_logits(name: str) -> None:
    folder = RERANKERS / name
    stored = json.loads((folder / "expected.json").read_text())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(96)
    tokenizer.enable_padding(pad_id=0 if name == "bert" else 1)
    model = ov.Core().compile_model(
        build_cross_encoder(folder), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    request = model.create_infer_request()
    for case in stored["cases"]:
        batch = tokenizer.encode_batch([(case["query"], text) for text in stored["documents"]])
        feeds = {
            "input_ids": np.array([row.ids for row in batch]),
            "attention_mask": np.array([row.attention_mask for row in batch]),
            "token_type_ids": np.array([row.type_ids for row in batch]),
        }
        request.start_async(
            {port.get_any_name(): feeds[port.get_any_name()] for port in model.inputs}
        )
        request.wait()
        logits = request.get_tensor("logits").data[:, 0]
        np.testing.assert_allclose(logits, case["logits"], rtol=0, atol=3e-5)


def test_only_classifiers_are_cross_encoders(tmp_path: Path) -> None:
    assert is_cross_encoder(RERANKERS / "bert")
    assert not is_cross_encoder(DATA / "encoders" / "bert")
    assert not is_cross_encoder(tmp_path)


def test_a_cross_encoders_folder_is_prepared_as_a_reranker(tmp_path: Path) -> None:
    for path in (RERANKERS / "roberta").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    prepare(tmp_path, "fp16")
    assert 'calculator: "RerankCalculatorOV"' in (tmp_path / "graph.pbtxt").read_text()
    [output] = ov.Core().read_model(tmp_path / "openvino_model.xml").outputs
    assert output.get_names() == {"logits"}
    assert output.get_partial_shape() == ov.PartialShape([-1, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "has 3 labels; a reranker has 1, or 2"),
        ({"id2label": {"0": "a", "1": "b"}}, "classifier.weight [1, 32] (expected [2, 32])"),
        ({"id2label": None}, "a bert classifier of 2 layers and 2 labels"),
        ({"model_type": "roberta"}, "it lacks classifier.dense.weight"),
        ({"num_hidden_layers": 3}, "it lacks encoder.layer.2.attention.self.query.weight, "),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    config = json.loads((RERANKERS / "bert" / "config.json").read_text()) | changes
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").symlink_to(RERANKERS / "bert" / "model.safetensors")
    with pytest.raises(PreparationError) as raised:
        build_cross_encoder(tmp_path)
    assert message in str(raised.value)
