"""What flows between the nodes of an embeddings graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.engine import Pooling
from calcgraph.runtime.payload import HttpResponse, InferResponse


@dataclass(frozen=True, slots=True)
class TextInput:
    """What is to be embedded: texts, or the served model's own token ids (one of the two)."""

    texts: Sequence[str] | None = None
    token_ids: Sequence[NDArray[np.int64]] | None = None
    truncate: bool | None = None
    """Cut what is too long (True) or refuse it (False); None leaves it to the graph."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One sequence of token ids an input, special tokens included, none longer than the model takes."""

    sequences: Sequence[NDArray[np.int64]]

    @property
    def count(self) -> int:
        return sum(map(len, self.sequences))


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What the encoder made of N sequences, on its way to being N vectors.

    Exactly one of `hidden` (a float32 [tokens, D] array a sequence) and `vectors` (float32 [N, D]) is
    there. Nodes that the engine has fused into the model find their work done.
    """

    hidden: Sequence[NDArray[np.float32]] | None = None
    vectors: NDArray[np.float32] | None = None
    pooling: Pooling | None = None
    normalized: bool = False


class Answer(Protocol):
    """How one request wants its vectors; made where the request is read, used where it is answered."""

    def write(self, embeddings: Embeddings, prompt_tokens: int) -> HttpResponse | InferResponse: ...


def require_vectors(embeddings: Embeddings, node: str) -> NDArray[Any]:
    """The [N, D] vectors. Raises ValueError when no Pooling node came before `node`."""
    if embeddings.vectors is None:
        raise ValueError(
            f"node {node!r} got token embeddings, expected one vector a text: "
            "put a Pooling node between the encoder and it"
        )
    return embeddings.vectors
