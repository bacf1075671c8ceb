"""Two texts in one sequence: the special tokens around and between them, and the type of every token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.tokenization.ids import Ids

TypedIds = NDArray[np.int64]
"""[2, tokens]: the id of each token, and below it its type (`token_type_ids`)."""


@dataclass(frozen=True)
class PairLayout:
    """What a tokenizer puts before, between and after the two texts of a pair.

    `join` of the ids that the tokenizer gives each text alone, without special tokens, equals what HF
    `tokenizers` gives the pair: texts are tokenized one by one there too, and put together afterwards.
    """

    prefix: TypedIds
    middle: TypedIds
    suffix: TypedIds
    types: tuple[int, int] = (0, 0)
    """Of the tokens of the first text and of the second."""

    def __len__(self) -> int:
        return sum(part.shape[1] for part in (self.prefix, self.middle, self.suffix))

    def join(self, first: Ids, second: Ids) -> TypedIds:
        # Written in place: a request may have ten thousand pairs.
        pair = np.empty((2, len(self) + len(first) + len(second)), np.int64)
        at = self.prefix.shape[1]
        pair[:, :at] = self.prefix
        at = _write(pair, at, first, self.types[0])
        end = at + self.middle.shape[1]
        pair[:, at:end] = self.middle
        at = _write(pair, end, second, self.types[1])
        pair[:, at:] = self.suffix
        return pair

    def untyped(self) -> PairLayout:
        """The same tokens, all of type 0: for models whose tokenizer hands out no types."""
        prefix, middle, suffix = (
            typed(part[0]) for part in (self.prefix, self.middle, self.suffix)
        )
        return PairLayout(prefix, middle, suffix)


def _write(pair: TypedIds, at: int, ids: Ids, kind: int) -> int:
    """Put a text's tokens at a place; returns the place after them."""
    end = at + len(ids)
    pair[0, at:end] = ids
    pair[1, at:end] = kind
    return end


def typed(ids: Ids, kind: int = 0) -> TypedIds:
    return np.stack([ids, np.full_like(ids, kind)])


def layout_of(encoding: Any) -> PairLayout:
    """The layout of a pair that HF `tokenizers` encoded. ValueError if a text of it has no token."""
    both = np.array([encoding.ids, encoding.type_ids], np.int64)
    places: list[int | None] = encoding.sequence_ids
    if 0 not in places or 1 not in places:
        raise ValueError(f"the tokenizer gives a pair of letters the tokens {encoding.tokens}")
    first = [place for place, sequence in enumerate(places) if sequence == 0]
    second = [place for place, sequence in enumerate(places) if sequence == 1]
    return PairLayout(
        prefix=both[:, : first[0]],
        middle=both[:, first[-1] + 1 : second[0]],
        suffix=both[:, second[-1] + 1 :],
        types=(int(both[1, first[0]]), int(both[1, second[0]])),
    )


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of each text of a pair stay when both share `room`.

    The rule of HF `tokenizers` for `truncation="longest_first"`: the longer text gives way until both
    are equally long, then both do.
    """
    if first + second <= room:
        return first, second
    shorter = min(first, second, room // 2)
    return (shorter, room - shorter) if first <= second else (room - shorter, shorter)
