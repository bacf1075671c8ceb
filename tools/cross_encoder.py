"""From config.json and model.safetensors to a reranker's OpenVINO model, without torch.

The graph is that of transformers' BertForSequenceClassification and its RoBERTa and XLM-R sisters:
the encoder of encoder.py, and a classifier on its first token. The output is `logits`, float32
[batch, labels]; a reranker has one label.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset15 as ops

from calcgraph.tools.encoder import EncoderGraph, fitting_weights, tensor_shapes
from calcgraph.tools.encoder_config import BERT_TYPES, EncoderConfig, read_encoder_config
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.weights import read_weights


@dataclass(frozen=True, slots=True)
class _Head:
    """Two linear layers by name, with tanh between them."""

    dense: str
    output: str


def build_cross_encoder(folder: Path) -> ov.Model:
    """The reranker described by the config.json and model.safetensors of a folder.

    Raises PreparationError for an architecture that is not supported and for weights that do not fit it.
    """
    path = folder / "config.json"
    config, labels = read_encoder_config(path), _labels(path)
    head = _head(config)
    hidden = config.hidden
    shapes = tensor_shapes(config) | {
        f"{head.dense}.weight": (hidden, hidden),
        f"{head.dense}.bias": (hidden,),
        f"{head.output}.weight": (labels, hidden),
        f"{head.output}.bias": (labels,),
    }
    what = f"a {config.model_type} classifier of {config.layers} layers and {labels} labels"
    weights_path = folder / "model.safetensors"
    weights = fitting_weights(shapes, read_weights(weights_path), weights_path, what)
    graph = EncoderGraph(config, weights)
    first = ops.gather(
        graph.hidden(), ops.constant(np.int64(0)), ops.constant(np.int64(1)), name="first_token"
    )
    return graph.model(
        graph.linear(ops.tanh(graph.linear(first, head.dense)), head.output), "logits"
    )


def _head(config: EncoderConfig) -> _Head:
    if config.model_type in BERT_TYPES:
        return _Head("pooler.dense", "classifier")
    return _Head("classifier.dense", "classifier.out_proj")


def _labels(path: Path) -> int:
    """How many numbers come out; transformers leaves the default of two out of the file."""
    config = json.loads(path.read_text("utf-8"))
    named = config.get("id2label")
    labels = len(named) if isinstance(named, dict) else config.get("num_labels", 2)
    if labels not in (1, 2):
        raise PreparationError(
            f"{path}: the model has {labels} labels; a reranker has 1, or 2 of which the second is relevance"
        )
    return int(labels)
