"""What the files of sentence-transformers say about turning token vectors into one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calcgraph.tools.errors import PreparationError

# Their names for a way of pooling, in 1_Pooling/config.json up to version 5 and as `pooling_mode` since.
_POOLINGS = {
    "pooling_mode_cls_token": "CLS",
    "pooling_mode_mean_tokens": "MEAN",
    "pooling_mode_lasttoken": "LAST",
    "cls": "CLS",
    "mean": "MEAN",
    "lasttoken": "LAST",
}
_HARMLESS = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class SentenceSettings:
    """`pooling` is CLS, LAST or MEAN; `max_length` counts tokens, and None leaves it to the model."""

    pooling: str
    normalize: bool
    max_length: int | None
    prompts: Mapping[str, str] = field(default_factory=dict)
    """By name; empty for a model that was trained without."""
    default_prompt: str | None = None


def read_sentence_settings(folder: Path) -> SentenceSettings:
    """The settings of a sentence-transformers folder.

    A folder without modules.json is a bare encoder: mean pooling and no normalization, as sentence-transformers
    itself reads it. Raises PreparationError for a module or a pooling that the graph has no node for.
    """
    limit = _object(folder / "sentence_bert_config.json").get("max_seq_length")
    prompts, default_prompt = _prompts(folder / "config_sentence_transformers.json")
    path = folder / "modules.json"
    if not path.exists():
        return SentenceSettings("MEAN", False, limit, prompts, default_prompt)
    modules = {str(module["type"]).rpartition(".")[2]: module["path"] for module in _json(path)}
    for kind in modules:
        if kind not in _HARMLESS:
            raise PreparationError(
                f"{path} has a module of type {kind}; supported are {', '.join(_HARMLESS)}"
            )
    pooling = "MEAN"
    if "Pooling" in modules:
        file = folder / modules["Pooling"] / "config.json"
        pooling = _pooling(file)
        if prompts and _object(file).get("include_prompt") is False:
            raise PreparationError(
                f"{file} says include_prompt: false; the server pools the tokens of a prompt too"
            )
    return SentenceSettings(pooling, "Normalize" in modules, limit, prompts, default_prompt)


def _prompts(path: Path) -> tuple[Mapping[str, str], str | None]:
    """The prompts, and the name of the one for all texts. Where each is empty there might as well be none."""
    config = _object(path)
    prompts = config.get("prompts") or {}
    if not any(prompts.values()):
        return {}, None
    return prompts, config.get("default_prompt_name")


def _pooling(path: Path) -> str:
    config = _object(path)
    found = [
        name for name, value in config.items() if name.startswith("pooling_mode_") and value is True
    ]
    if "pooling_mode" in config:
        found = [config["pooling_mode"]]
    if len(found) == 1 and found[0] in _POOLINGS:
        return _POOLINGS[found[0]]
    raise PreparationError(
        f"{path} asks for the pooling {' + '.join(map(str, found)) or 'of no kind'}; supported is one of cls, mean, lasttoken"
    )


def _object(path: Path) -> dict[str, Any]:
    document = _json(path) if path.exists() else {}
    if not isinstance(document, dict):
        raise PreparationError(
            f"{path} holds a JSON {type(document).__name__}, an object was expected"
        )
    return document


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise PreparationError(f"{path} is not JSON ({error}): fetch it again") from error
