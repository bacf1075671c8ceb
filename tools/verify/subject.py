"""What is verified: an endpoint, what it answered so far, and the model's folder where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.tools.compare.endpoint import Endpoint, vectors_of
from calcgraph.tools.manifest import read_manifest
from calcgraph.tools.verify.reference import Reference, Vectors

# What is broken turns a vector further than rounding does, by the precision of the inference and of the weights.
_FLOORS: Final[Mapping[str, float]] = {"f32": 0.999, "bf16": 0.97, "f16": 0.97}
_UNKNOWN: Final = 0.95
_WEIGHTS: Final[Mapping[str, float]] = {"int8": 0.9, "int4": 0.6}
_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Subject:
    """The served model. Whatever it answers is asked once; every question may raise StatusError."""

    endpoint: Endpoint
    reference: Reference
    folder: Path | None = None
    lowest_cosine: float | None = None
    """Below it a vector is wrong; None is what the precisions of inference and weights allow."""

    @cached_property
    def details(self) -> Mapping[str, Any]:
        """What a server of ours tells of its model; nothing of another server."""
        about = self.endpoint.about()
        found = about.get("details") if isinstance(about, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def floor(self) -> float:
        if self.lowest_cosine is not None:
            return self.lowest_cosine
        return min(self.same_text, _WEIGHTS.get(self._weight_format, 1.0))

    @property
    def same_text(self) -> float:
        """The least cosine of two vectors that the served model itself gives of one text."""
        return _FLOORS.get(str(self.details.get("precision")), _UNKNOWN)

    @property
    def _weight_format(self) -> str:
        manifest = None if self.folder is None else read_manifest(self.folder)
        return "" if manifest is None else manifest.weight_format

    def cosines(self, one: Vectors, other: Vectors) -> Vectors:
        """Of each row with the same row of the other, from the middle of all texts; NaN where one has a NaN.

        From zero the vectors of a model may all point one way, and a wrong one hardly another.
        """
        return cosines(one, other, self.alone.mean(axis=0))

    @cached_property
    def tokens(self) -> Sequence[Ids]:
        answer = self.endpoint.ask("tokenize", text=list(self.reference.texts))
        return [np.array(ids, np.int64) for ids in answer["tokens"]]

    @cached_property
    def alone(self) -> Vectors:
        """Each text in a request of its own, one after the other, without a prompt: [texts, D]."""
        return np.concatenate([self.embed([text]) for text in self.reference.texts])

    @cached_property
    def together(self) -> Vectors:
        """All texts in one request."""
        return self.embed(self.reference.texts)

    @cached_property
    def at_once(self) -> Vectors:
        """Each text in a request of its own, several requests at the same time."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            rows = list(threads.map(lambda text: self.embed([text]), self.reference.texts))
        return np.concatenate(rows)

    def embed(self, value: Sequence[Any], **more: Any) -> Vectors:
        """The vectors of texts or token ids, without the model's prompt unless one is asked for."""
        plain = {"instruction": ""} if self.reference.prompts and not more else {}
        body = {"input": list(value), "encoding_format": "float", **plain, **more}
        return vectors_of(self.endpoint.ask("embeddings", **body))


def cosines(one: Vectors, other: Vectors, middle: Vectors) -> Vectors:
    """Of each row with the same row of the other, both seen from `middle`."""
    one, other = one - middle, other - middle
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(lengths, 1e-12), np.float32)
