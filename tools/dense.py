"""The Dense layers that some models have behind their pooling, put before it.

Of CLS and LAST pooling that changes nothing: they take one token's vector, and the layer looks at one vector at a
time. The MEAN of vectors that went through a linear layer is the mean of them put through the layer, so there it
holds for layers without an activation, which are those that sentence-t5 and EmbeddingGemma have. A model made so
needs no node of its own in the graph, and OpenVINO Model Server serves it right too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.weights import read_weights

_ACTIVATIONS = {
    "Identity": lambda node: node,
    "Tanh": ops.tanh,
    "ReLU": ops.relu,
    "Sigmoid": ops.sigmoid,
    "GELU": lambda node: ops.gelu(node, "erf"),
}
_LINEAR = "Identity"


@dataclass(frozen=True, slots=True)
class Dense:
    """`weight` is float32 [outputs, inputs], `bias` float32 [outputs]; `activation` a key of _ACTIVATIONS."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    activation: str

    def after(self, before: Dense) -> Dense:
        """One layer that does what this does behind `before`, which has no activation."""
        return Dense(
            self.weight @ before.weight, self.weight @ before.bias + self.bias, self.activation
        )


def read_dense(folders: Sequence[Path], pooling: str) -> list[Dense]:
    """The layers of these module folders, as few as do the same. Raises PreparationError."""
    layers: list[Dense] = []
    for folder in folders:
        layer = _read(folder)
        if pooling == "MEAN" and layer.activation != _LINEAR:
            raise PreparationError(
                f"{folder / 'config.json'} asks for {layer.activation} behind MEAN pooling; "
                "supported there is a layer without activation (Identity)"
            )
        if layers and layers[-1].activation == _LINEAR:
            layers.append(layer.after(layers.pop()))
        else:
            layers.append(layer)
    return layers


def add_dense(model: ov.Model, layers: Sequence[Dense]) -> ov.Model:
    """The model with its output `last_hidden_state` put through the layers: float32 [batch, tokens, outputs].

    Raises PreparationError when their sizes do not fit.
    """
    if not layers:
        return model
    hidden: Any = model.output("last_hidden_state").get_node().input_value(0)
    hidden.get_tensor().set_names(set())
    for layer in layers:
        inputs, width = layer.weight.shape[1], hidden.get_partial_shape()[2].get_length()
        if inputs != width:
            raise PreparationError(
                f"a Dense layer takes {inputs} numbers and gets {width}: the files are not of one model"
            )
        product = ops.matmul(hidden, ops.constant(layer.weight), False, True)
        total = ops.add(product, ops.constant(layer.bias))
        hidden = _ACTIVATIONS[layer.activation](total).output(0)
    hidden.get_tensor().set_names({"last_hidden_state"})
    result = ops.result(hidden, name="last_hidden_state/Result")
    return ov.Model([result], model.get_parameters(), model.get_friendly_name())


def _read(folder: Path) -> Dense:
    path = folder / "config.json"
    config = json.loads(path.read_text("utf-8"))
    # sentence-transformers' own default.
    named = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    activation = named.rpartition(".")[2]
    if activation not in _ACTIVATIONS:
        raise PreparationError(
            f"{path} asks for the activation {named}; supported are {', '.join(_ACTIVATIONS)}"
        )
    weights = _weights(folder)
    weight = weights["linear.weight"]
    bias = weights.get("linear.bias", np.zeros(len(weight), np.float32))
    return Dense(weight, bias, activation)


def _weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """`linear.weight` and, where there is one, `linear.bias`. Older models have them as torch stored them."""
    if (folder / "model.safetensors").is_file():
        return read_weights(folder / "model.safetensors")
    path = folder / "pytorch_model.bin"
    try:
        import torch
    except ImportError:
        raise PreparationError(
            f"{folder} has no model.safetensors, and reading {path.name} takes torch, which is not installed: "
            "pip install 'calcgraph[export-torch]'"
        ) from None
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.float().numpy() for name, tensor in stored.items()}
