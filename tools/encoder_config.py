"""What a config.json says about a BERT, RoBERTa or XLM-R encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calcgraph.tools.errors import PreparationError

BERT_TYPES = ("bert",)
ROBERTA_TYPES = ("roberta", "xlm-roberta", "camembert")
# The Gelu of OpenVINO has two modes; transformers has four names for them.
ACTIVATIONS = {
    "gelu": "erf",
    "gelu_new": "tanh",
    "gelu_pytorch_tanh": "tanh",
    "gelu_fast": "tanh",
    "relu": "relu",
}


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The shape of one encoder. All sizes are counts; `activation` is a value of ACTIVATIONS."""

    model_type: str
    vocabulary: int
    positions: int
    token_types: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    activation: str
    layer_norm_eps: float
    pad_token_id: int

    @property
    def positions_follow_padding(self) -> bool:
        """RoBERTa counts positions from pad_token_id + 1 and skips padding; BERT counts from 0."""
        return self.model_type in ROBERTA_TYPES


def is_cross_encoder(folder: Path) -> bool:
    """Whether a folder's config.json describes a model that scores texts rather than embedding them."""
    try:
        architectures = json.loads((folder / "config.json").read_text("utf-8"))["architectures"]
        return str(architectures[0]).endswith("ForSequenceClassification")
    except (OSError, LookupError, TypeError, ValueError):
        return False


def read_encoder_config(path: Path) -> EncoderConfig:
    """Read and check a config.json; raises PreparationError naming the setting that is not supported."""
    try:
        raw = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise PreparationError(f"{path} is not JSON ({error}): fetch it again") from error
    if not isinstance(raw, dict):
        raise PreparationError(f"{path} holds a JSON {type(raw).__name__}, an object was expected")
    return _Reading(path, raw).encoder()


@dataclass(frozen=True, slots=True)
class _Reading:
    path: Path
    raw: Mapping[str, Any]

    def encoder(self) -> EncoderConfig:
        model_type = self._one_of("model_type", (*BERT_TYPES, *ROBERTA_TYPES))
        self._one_of("position_embedding_type", ("absolute",), "absolute")
        if self.raw.get("is_decoder") or self.raw.get("add_cross_attention"):
            raise PreparationError(f"{self.path} describes a decoder; supported are encoders")
        hidden, heads = self._count("hidden_size"), self._count("num_attention_heads")
        if hidden % heads:
            raise PreparationError(
                f"{self.path}: hidden_size {hidden} is not a multiple of num_attention_heads {heads}"
            )
        return EncoderConfig(
            model_type=model_type,
            vocabulary=self._count("vocab_size"),
            positions=self._count("max_position_embeddings"),
            token_types=self._count("type_vocab_size", 2),
            hidden=hidden,
            intermediate=self._count("intermediate_size"),
            layers=self._count("num_hidden_layers"),
            heads=heads,
            activation=ACTIVATIONS[self._one_of("hidden_act", tuple(ACTIVATIONS), "gelu")],
            layer_norm_eps=float(self.raw.get("layer_norm_eps", 1e-12)),
            pad_token_id=int(self.raw.get("pad_token_id", 1 if model_type in ROBERTA_TYPES else 0)),
        )

    def _one_of(self, key: str, supported: tuple[str, ...], default: str | None = None) -> str:
        found = self.raw.get(key) or default
        if found not in supported:
            raise PreparationError(
                f"{self.path}: {key} is {json.dumps(found)}; supported are {', '.join(supported)}"
            )
        return str(found)

    def _count(self, key: str, default: int | None = None) -> int:
        found = self.raw.get(key, default)
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise PreparationError(
                f"{self.path}: {key} is {json.dumps(found)}; a positive integer was expected"
            )
        return found
