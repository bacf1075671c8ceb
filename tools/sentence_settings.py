"""What the files of sentence-transformers say about turning token vectors into one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
# In the order in which they may come; of Dense there may be several.
_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")


@dataclass(frozen=True, slots=True)
class SentenceSettings:
    """`pooling` is CLS, LAST or MEAN; `max_length` counts tokens, and None leaves it to the model."""

    pooling: str
    normalize: bool
    max_length: int | None
    prompts: Mapping[str, str] = field(default_factory=dict)
    """By name; empty for a model that was trained without."""
    default_prompt: str | None = None
    dense: Sequence[Path] = ()
    """The folders of the layers between pooling and normalization."""


def read_sentence_settings(folder: Path) -> SentenceSettings:
    """The settings of a sentence-transformers folder.

    A folder without modules.json is a bare encoder: mean pooling and no normalization, as sentence-transformers
    itself reads it. Raises PreparationError for a module or a pooling that the graph has no node for.
    """
    limit = read_object(folder / "sentence_bert_config.json").get("max_seq_length")
    prompts, default_prompt = _prompts(folder / "config_sentence_transformers.json")
    path = folder / "modules.json"
    if not path.exists():
        return SentenceSettings("MEAN", False, limit, prompts, default_prompt)
    modules = _modules(path)
    kinds = [kind for kind, _ in modules]
    pooling = "MEAN"
    if "Pooling" in kinds:
        file = folder / dict(modules)["Pooling"] / "config.json"
        pooling = _pooling(file)
        if prompts and read_object(file).get("include_prompt") is False:
            raise PreparationError(
                f"{file} says include_prompt: false; the server pools the tokens of a prompt too"
            )
    return SentenceSettings(
        pooling,
        "Normalize" in kinds,
        limit,
        prompts,
        default_prompt,
        tuple(folder / place for kind, place in modules if kind == "Dense"),
    )


def _modules(path: Path) -> list[tuple[str, str]]:
    """Kind and folder of each module. Raises PreparationError for what the graph cannot do."""
    modules = [(str(each["type"]).rpartition(".")[2], each["path"]) for each in _json(path)]
    for kind, _ in modules:
        if kind not in _MODULES:
            raise PreparationError(
                f"{path} has a module of type {kind}; supported are {', '.join(_MODULES)}"
            )
    kinds = [kind for kind, _ in modules]
    if kinds != sorted(kinds, key=_MODULES.index):
        raise PreparationError(
            f"{path} has its modules in the order {', '.join(kinds)}; supported is {', '.join(_MODULES)}"
        )
    return modules


def _prompts(path: Path) -> tuple[Mapping[str, str], str | None]:
    """The prompts, and the name of the one for all texts. Where each is empty there might as well be none."""
    config = read_object(path)
    prompts = config.get("prompts") or {}
    if not any(prompts.values()):
        return {}, None
    return prompts, config.get("default_prompt_name")


def _pooling(path: Path) -> str:
    config = read_object(path)
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


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file, empty when there is no file. Raises PreparationError."""
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
