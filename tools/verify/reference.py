"""What a model should answer: of the canary beside it, of the files it was published as, or of sentence-transformers.

In all three the model's own files say how it pools, whether it normalizes, how many tokens it reads, and what its
prompts are. Without any file that says so the setting is None, and nothing is compared with it.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.canary import Canary, read_canary
from calcgraph.calculators.engine import Pooling
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.sentence_settings import read_sentence_settings

Vectors = NDArray[np.float32]
_PROGRAM: Final = Path(__file__).with_name("sentence_transformers_program.py")


@dataclass(frozen=True, slots=True)
class Reference:
    """Texts, and for each what is right. Rows of the vectors are texts."""

    origin: str
    texts: Sequence[str]
    token_ids: Sequence[Ids]
    by_pooling: Mapping[str, Vectors] = field(default_factory=dict)
    """Before Dense layers and normalization, by the name of the pooling."""
    vectors: Vectors | None = None
    """As the model gives them, normalized where it does; None when no file says how it pools."""
    pooling: str | None = None
    normalize: bool | None = None
    max_tokens: int | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt: str | None = None
    dense: int = 0
    """How many Dense layers lie behind the pooling."""


def stored_reference(folder: Path) -> Reference | None:
    """By the canary of a served folder; None when it has none. Raises ValueError, PreparationError."""
    canary = read_canary(folder)
    return None if canary is None else _reference(f"canary of {folder}", canary, folder, None)


def published_reference(folder: Path) -> Reference:
    """By the published files of a BERT, RoBERTa or XLM-R model, without torch. Raises PreparationError."""
    # They import OpenVINO, which takes a second.
    from calcgraph.tools.canary import canary_of
    from calcgraph.tools.dense import add_dense, read_dense
    from calcgraph.tools.encoder import build_encoder

    try:
        canary = canary_of(build_encoder(folder), folder)
        settings = read_sentence_settings(folder)
        layers = read_dense(settings.dense, settings.pooling)
        whole = canary_of(add_dense(build_encoder(folder), layers), folder) if layers else canary
    except (ValueError, FileNotFoundError) as error:
        raise PreparationError(f"{folder}: {error}") from error
    return _reference(f"{folder}, in float32", canary, folder, whole)


def sentence_transformers_reference(name: str, python: Path, texts: Sequence[str]) -> Reference:
    """By sentence-transformers, run by the `python` of an environment that has it. Raises PreparationError."""
    with tempfile.TemporaryDirectory() as place:
        question, answer = Path(place) / "texts.json", Path(place) / "answer.npz"
        question.write_text(json.dumps(list(texts)))
        command = [str(python), str(_PROGRAM), name, str(question), str(answer)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise PreparationError(
                f"sentence-transformers of {python} cannot be the reference for {name} (it says: {said})"
            )
        with np.load(answer) as stored:
            return _answered(name, dict(stored))


def _answered(name: str, stored: Mapping[str, NDArray[Any]]) -> Reference:
    about = json.loads(str(stored["about"]))
    return Reference(
        origin=f"sentence-transformers on {name}",
        texts=stored["texts"].tolist(),
        token_ids=np.split(stored["ids"].astype(np.int64), np.cumsum(stored["lengths"])[:-1]),
        by_pooling={method.name: stored[method.name].astype(np.float32) for method in Pooling},
        vectors=stored["vectors"].astype(np.float32),
        pooling=about["pooling"],
        normalize=about["normalize"],
        max_tokens=about["max_tokens"],
        prompts=about["prompts"],
        default_prompt=about["default_prompt"],
        dense=about["dense"],
    )


def _reference(origin: str, canary: Canary, folder: Path, whole: Canary | None) -> Reference:
    said = (folder / "modules.json").is_file()
    settings = read_sentence_settings(folder)
    pooling = settings.pooling if said else None
    vectors = None
    if pooling is not None:
        vectors = (whole or canary).vectors[Pooling[pooling]]
        vectors = unit(vectors) if settings.normalize else vectors
    return Reference(
        origin=origin,
        texts=canary.texts,
        token_ids=canary.token_ids,
        by_pooling={method.name: rows for method, rows in canary.vectors.items()},
        vectors=vectors,
        pooling=pooling,
        normalize=settings.normalize if said else None,
        max_tokens=max_tokens(folder),
        prompts=settings.prompts,
        default_prompt=settings.default_prompt,
        dense=len(settings.dense),
    )


def unit(vectors: Vectors) -> Vectors:
    """Each row with length one; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
