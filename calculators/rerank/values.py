"""What flows between the nodes of a reranking graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.tokenization.pairs import TypedIds
from calcgraph.calculators.values import Turn
from calcgraph.runtime.payload import HttpResponse, InferResponse

Scores = NDArray[np.float32]
"""One number a document, in the order of the request."""


@dataclass(frozen=True, slots=True)
class RerankQuery:
    """What is to be ranked, and what the caller says about reading it."""

    query: str
    documents: Sequence[str]
    instruction: str | None = None
    max_chunks: int | None = None
    """Windows of one document at most; the rest of it is not read."""
    max_tokens: int | None = None
    """Tokens of one document at most; the rest of it is not read."""
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Pairs:
    """The query with each document, or with each window of one that is too long for a single look."""

    sequences: Sequence[TypedIds]
    owners: NDArray[np.intp]
    """The document that each sequence reads, in ascending order; every document has one at least."""
    warnings: Sequence[str] = ()
    """What was not read, in words for the caller."""
    turn: Turn | None = None

    @property
    def tokens(self) -> int:
        return sum(sequence.shape[1] for sequence in self.sequences)


@dataclass(frozen=True, slots=True)
class Logits:
    """The model's own number for each sequence of `Pairs`."""

    values: NDArray[np.float32]
    owners: NDArray[np.intp]
    activation: Literal["SIGMOID", "IDENTITY"]
    """What sentence-transformers makes of it before it is a score."""


class RerankAnswer(Protocol):
    """How one request wants its ranking; made where the request is read, used where it is answered."""

    def write(
        self, scores: Scores, pairs: Pairs, fingerprint: str
    ) -> HttpResponse | InferResponse: ...
