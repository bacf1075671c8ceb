"""What is verified: an endpoint, what it answered so far, and the model's folder where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from calcgraph.calculators.canary import FLOORS
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.tools.compare.endpoint import Endpoint, vectors_of
from calcgraph.tools.verify.reference import Reference, Vectors

_UNKNOWN_PRECISION = 0.98
_AT_ONCE = 8


@dataclass(frozen=True)
class Subject:
    """The served model. Whatever it answers is asked once; every question may raise StatusError."""

    endpoint: Endpoint
    reference: Reference
    folder: Path | None = None
    lowest_cosine: float | None = None
    """Below it a vector is wrong; None is what the precision of the inference allows."""

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
        return FLOORS.get(str(self.details.get("precision")), _UNKNOWN_PRECISION)

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


def cosines(one: Vectors, other: Vectors) -> Vectors:
    """Of each row with the same row of the other; NaN where one has a NaN."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(lengths, 1e-12), np.float32)
