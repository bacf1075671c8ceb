"""What flows between the nodes of an embeddings graph."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.engine import Lane, Pooling
from calcgraph.calculators.lengths import LengthWish, TooLong
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.special_tokens import Side
from calcgraph.runtime.payload import HttpResponse, InferResponse
from calcgraph.runtime.terms import ANY_TERMS, Terms


@dataclass(frozen=True, slots=True)
class PromptWish:
    """What one request says of the words to put before its texts."""

    name: str | None = None
    input_type: str | None = None
    """`query` or `document`: the model's own prompt for that, if it has one."""
    instruction: str | None = None

    @property
    def must_be_heard(self) -> bool:
        """A model without prompts treats queries and documents alike; the rest it cannot ignore."""
        return self.name is not None or self.instruction is not None


@dataclass(frozen=True, slots=True)
class Turn:
    """A request's place among others that wait for the model."""

    lane: Lane | None = None
    """None leaves it to the size of the request."""
    client: Hashable | None = None
    """Who asks: clients take turns."""
    terms: Terms = ANY_TERMS


@dataclass(frozen=True, slots=True)
class Tokenization:
    """The token ids themselves are wanted, in this form."""

    add_special_tokens: bool = True
    max_length: int | None = None
    pad: bool = False
    """Up to `max_length`, or without one to what the model can read."""
    padding_side: Side = "right"


@dataclass(frozen=True, slots=True)
class Detokenization:
    """The text that token ids stand for is wanted."""


@dataclass(frozen=True, slots=True)
class TextInput:
    """What is asked of a model: texts, or token ids (one of the two), and how to treat them."""

    texts: Sequence[str] | None = None
    token_ids: Sequence[Ids] | None = None
    length: LengthWish | None = None
    """None leaves it to the graph, like each of the following."""
    prompt: PromptWish | None = None
    only: Tokenization | Detokenization | None = None
    """Tokens are all that is wanted, no embedding."""
    sender: str = ""
    """The client program that sent token ids, as it names itself."""
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """One sequence of token ids an input, special tokens included, none longer than the model takes.

    An input that was read in windows has one sequence a window; `too_long` says which did.
    """

    sequences: Sequence[Ids]
    too_long: Sequence[TooLong] = ()
    texts: Sequence[str] | None = None
    """What the sequences stand for, when that was asked."""
    only: bool = False
    """These are the answer: there is nothing to embed."""
    turn: Turn | None = None

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
    """How one request wants its answer; made where the request is read, used where it is answered."""

    def write(
        self, embeddings: Embeddings | None, tokens: Tokens, fingerprint: str
    ) -> HttpResponse | InferResponse:
        """`embeddings` is None when only tokens were asked for; `fingerprint` is "" if there is none."""
        ...


def require_vectors(embeddings: Embeddings | None, node: str) -> NDArray[Any]:
    """The [N, D] vectors. Raises ValueError when no Pooling node came before `node`."""
    if embeddings is None or embeddings.vectors is None:
        found = "no embeddings" if embeddings is None else "token embeddings"
        raise ValueError(
            f"node {node!r} got {found}, expected one vector a text: "
            "put a Pooling node between the encoder and it"
        )
    return embeddings.vectors
