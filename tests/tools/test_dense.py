"""A Dense layer put before the pooling does what it does behind it."""

import json
import shutil
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from safetensors.numpy import save_file

from calcgraph.calculators.engine import Pooling
from calcgraph.calculators.pooling import METHODS
from calcgraph.tools.dense import add_dense, read_dense
from calcgraph.tools.encoder import build_encoder
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.prepare import prepare

BERT = Path(__file__).parents[1] / "data" / "encoders" / "bert"
RANDOM = np.random.default_rng(3)


def layer(folder: Path, inputs: int, outputs: int, activation: str, bias: bool = True) -> Path:
    folder.mkdir()
    config = {"activation_function": f"torch.nn.modules.activation.{activation}"}
    (folder / "config.json").write_text(json.dumps(config))
    tensors = {"linear.weight": RANDOM.normal(size=(outputs, inputs)).astype(np.float32)}
    if bias:
        tensors["linear.bias"] = RANDOM.normal(size=outputs).astype(np.float32)
    save_file(tensors, folder / "model.safetensors")
    return folder


def tokens(model: ov.Model) -> np.ndarray:
    """The vector of each token of one text."""
    ids = np.arange(5, 17)[None]
    feeds = {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0}
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(feeds)["last_hidden_state"][0].copy()


def behind(pooled: np.ndarray, folder: Path, activation: str) -> np.ndarray:
    """The layer as sentence-transformers applies it, to a pooled vector."""
    from safetensors.numpy import load_file

    weights = load_file(folder / "model.safetensors")
    total = weights["linear.weight"] @ pooled + weights.get("linear.bias", 0)
    return np.tanh(total) if activation == "Tanh" else total


@pytest.mark.parametrize(
    ("pooling", "activations"),
    [
        ("MEAN", ["Identity", "Identity"]),
        ("CLS", ["Tanh"]),
        ("LAST", ["Identity", "Tanh", "Identity"]),
    ],
)
def test_pooling_then_dense_is_dense_then_pooling(
    tmp_path: Path, pooling: str, activations: list[str]
) -> None:
    widths = [32, 24, 40, 8]
    folders = [
        layer(tmp_path / f"{i}_Dense", widths[i], widths[i + 1], kind, bias=i != 1)
        for i, kind in enumerate(activations)
    ]
    method = METHODS[Pooling(pooling)]
    wanted = method(tokens(build_encoder(BERT)))
    for folder, kind in zip(folders, activations, strict=True):
        wanted = behind(wanted, folder, kind)
    model = add_dense(build_encoder(BERT), read_dense(folders, pooling))
    np.testing.assert_allclose(method(tokens(model)), wanted, rtol=1e-4, atol=1e-4)


def test_layers_without_activation_become_one(tmp_path: Path) -> None:
    folders = [layer(tmp_path / "2", 32, 64, "Identity"), layer(tmp_path / "3", 64, 32, "Identity")]
    [one] = read_dense(folders, "MEAN")
    assert one.weight.shape == (32, 32)


def test_a_layer_that_bends_cannot_come_before_a_mean(tmp_path: Path) -> None:
    with pytest.raises(PreparationError, match="asks for Tanh behind MEAN pooling; supported"):
        read_dense([layer(tmp_path / "2_Dense", 32, 8, "Tanh")], "MEAN")


def test_an_activation_nobody_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        PreparationError, match=r"the activation torch.*\.Mish; supported are Ident"
    ):
        read_dense([layer(tmp_path / "2_Dense", 32, 8, "Mish")], "CLS")


def test_a_layer_of_another_model_is_told(tmp_path: Path) -> None:
    layers = read_dense([layer(tmp_path / "2_Dense", 48, 8, "Identity")], "MEAN")
    with pytest.raises(PreparationError, match="takes 48 numbers and gets 32"):
        add_dense(build_encoder(BERT), layers)


def test_a_pulled_model_has_its_dense_layers_too(tmp_path: Path) -> None:
    folder = shutil.copytree(BERT, tmp_path / "bert")
    layer(folder / "2_Dense", 32, 12, "Tanh")
    modules = json.loads((folder / "modules.json").read_text())
    modules.insert(2, {"path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    prepare(folder)
    model = ov.Core().read_model(folder / "openvino_model.xml")
    assert model.output("last_hidden_state").get_partial_shape()[2].get_length() == 12
    with np.load(folder / "canary.npz") as canary:
        assert canary["CLS"].shape[1] == 12
