"""The folder of a published model: what of it is copied, and how its weights can be read."""

from __future__ import annotations

import shutil
from pathlib import Path

from calcgraph.tools.encoder_config import BERT_TYPES, ROBERTA_TYPES
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.sentence_settings import read_object

# Descriptions, tokenizers, licences. Weights are left: the OpenVINO model takes their place.
_COPIED = (
    "*.json",
    "*.txt",
    "*.model",
    "*.jinja",
    "LICENSE*",
    "NOTICE*",
    "[0-9]*_*/config.json",
)
_LEFT = ("*.index.json",)
_WEIGHTS = ("*.safetensors", "*.bin")
WITHOUT_TORCH = (*BERT_TYPES, *ROBERTA_TYPES)


def copy_description(source: Path, folder: Path) -> None:
    """Copy every file that says what the model is, without its weights."""
    left = {path for pattern in _LEFT for path in source.glob(pattern)}
    for pattern in _COPIED:
        for path in source.glob(pattern):
            if path.is_file() and path not in left:
                copy = folder / path.relative_to(source)
                copy.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, copy)


def require_model(source: Path) -> None:
    """Raises PreparationError when the folder holds no model that can be converted."""
    for name, patterns in {
        "config.json": ("config.json",),
        "tokenizer (tokenizer.json)": (
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.txt",
            "*.model",
        ),
    }.items():
        if not any(path.is_file() for pattern in patterns for path in source.glob(pattern)):
            raise PreparationError(f"{source} has no {name}: it is not a whole model")


def weight_bytes(source: Path) -> int:
    return sum(path.stat().st_size for pattern in _WEIGHTS for path in source.glob(pattern))


def is_built_without_torch(source: Path) -> bool:
    """Whether our own builder knows the architecture and can read the weights."""
    return is_known_kind(source) and (source / "model.safetensors").is_file()


def is_known_kind(source: Path) -> bool:
    """Whether our own builder knows the architecture."""
    return read_object(source / "config.json").get("model_type") in WITHOUT_TORCH


def is_scorer(source: Path) -> bool:
    """Whether the model can score pairs: as a classifier, or as a language model that says yes or no."""
    return _architecture(source).endswith(("ForSequenceClassification", "ForCausalLM"))


def _architecture(source: Path) -> str:
    named = read_object(source / "config.json").get("architectures") or [""]
    return str(named[0])
