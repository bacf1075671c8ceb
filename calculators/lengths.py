"""What happens to an input that has more tokens than the model takes: refuse, cut, or read in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.dimensions import unit_length
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.special_tokens import Side, SpecialTokens
from calcgraph.runtime.errors import RequestError


class Overflow(Enum):
    """The ways; the values are what requests say."""

    ERROR = "error"
    TRUNCATE = "truncate"
    TRUNCATE_LEFT = "truncate_left"
    CHUNK = "chunk"


_SIDES: dict[Overflow, Side] = {Overflow.TRUNCATE: "right", Overflow.TRUNCATE_LEFT: "left"}


@dataclass(frozen=True, slots=True)
class LengthWish:
    """What one request says of it; None leaves it to the graph."""

    overflow: Overflow | None = None
    side: Side | None = None
    """Where to cut, if it is cut."""
    limit: int | None = None
    """Fewer tokens than the model takes."""
    overlap: int | None = None


@dataclass(frozen=True, slots=True)
class TooLong:
    """One input that did not fit: of its `tokens` the model reads `kept`, in `windows`."""

    index: int
    tokens: int
    kept: int
    windows: int = 1

    @property
    def was_cut(self) -> bool:
        return self.windows == 1


@dataclass(frozen=True, slots=True)
class LengthRule:
    """How a graph treats long inputs, or one request to it."""

    overflow: Overflow
    limit: int
    """Tokens, special ones included."""
    special_tokens: SpecialTokens
    overlap: int | None = None
    """Tokens that neighbouring windows share; None is a tenth of what fits a window."""

    @property
    def room(self) -> int:
        """How many of a text's own tokens fit."""
        return self.limit - len(self.special_tokens)

    def check(self) -> None:
        """Raises ValueError when nothing of a text would be left."""
        if self.room < 1:
            raise ValueError(
                f"a limit of {self.limit} tokens leaves no room for text: "
                f"the special tokens alone are {len(self.special_tokens)}"
            )
        if self.overlap is not None and self.overlap >= self.room:
            raise ValueError(
                f"an overlap of {self.overlap} tokens must be less than the {self.room} that fit a window"
            )

    def wished(self, wish: LengthWish) -> LengthRule:
        """The rule for one request. Raises RequestError for a wish that cannot be met."""
        limit = self.limit if wish.limit is None else wish.limit
        if limit > self.limit:
            raise RequestError(
                f"'truncate_prompt_tokens' must be at most {self.limit}, what this model takes; "
                f"found {limit}",
                param="truncate_prompt_tokens",
            )
        overflow = wish.overflow or self.overflow
        if wish.side is not None and overflow in _SIDES:
            overflow = Overflow.TRUNCATE_LEFT if wish.side == "left" else Overflow.TRUNCATE
        overlap = self.overlap if wish.overlap is None else wish.overlap
        rule = replace(self, overflow=overflow, limit=limit, overlap=overlap)
        try:
            rule.check()
        except ValueError as error:
            param = "truncate_prompt_tokens" if rule.room < 1 else "chunk_overlap"
            raise RequestError(f"'{param}': {error}", param=param) from None
        return rule

    def fit(self, sequences: Sequence[Ids]) -> tuple[Sequence[Ids], Sequence[TooLong]]:
        """The sequences the model is to read, each within the limit, and which inputs were too long.

        Raises RequestError when those are to be refused.
        """
        limit = self.limit
        if all(len(ids) <= limit for ids in sequences):
            return sequences, ()
        if self.overflow is Overflow.ERROR:
            raise self._refusal(sequences)
        fitting: list[Ids] = []
        too_long: list[TooLong] = []
        for index, ids in enumerate(sequences):
            if len(ids) <= limit:
                fitting.append(ids)
                continue
            windows = self._windows(ids)
            fitting += windows
            kept = len(ids) if len(windows) > 1 else len(windows[0])
            too_long.append(TooLong(index, len(ids), kept, len(windows)))
        return fitting, too_long

    def _windows(self, ids: Ids) -> list[Ids]:
        special = self.special_tokens
        if not special.surround(ids):
            # Ids that the caller made, without special tokens: they are cut as they came.
            special = SpecialTokens(ids[:0], ids[:0])
        if self.overflow in _SIDES:
            return [special.truncate(ids, self.limit, _SIDES[self.overflow])]
        own, room = special.strip(ids), self.limit - len(special)
        overlap = room // 10 if self.overlap is None else self.overlap
        starts = range(0, len(own) - overlap, room - overlap)
        return [np.concatenate([special.prefix, own[i : i + room], special.suffix]) for i in starts]

    def _refusal(self, sequences: Sequence[Ids]) -> RequestError:
        index, ids = next((i, ids) for i, ids in enumerate(sequences) if len(ids) > self.limit)
        where = f"input[{index}]" if len(sequences) > 1 else "the input"
        return RequestError(
            f"This model's maximum context length is {self.limit} tokens, however {where} has "
            # No double quotes: LiteLLM looks for the words above in Python's repr of this text, which
            # escapes the apostrophe of "model's" when the text holds both kinds of quotes.
            f"{len(ids)} tokens. Shorten it, send 'truncate': true or 'overflow': 'chunk', or set "
            "'overflow' in the graph's TokenizerOptions.",
            param="input",
            reason="context_length_exceeded",
        )


def report(too_long: Sequence[TooLong]) -> dict[str, list[dict[str, int]]]:
    """What the answer says of it: the inputs that were cut, and those that were read in windows."""
    told: dict[str, list[dict[str, int]]] = {}
    for each in too_long:
        what, count = ("kept", each.kept) if each.was_cut else ("chunks", each.windows)
        entry = {"index": each.index, "tokens": each.tokens, what: count}
        told.setdefault("truncated" if each.was_cut else "chunked", []).append(entry)
    return told


def merge_windows(
    vectors: NDArray[np.float32],
    sequences: Sequence[Ids],
    too_long: Sequence[TooLong],
    normalized: bool,
) -> NDArray[np.float32]:
    """From a vector a sequence to a vector an input: the mean of its windows', weighted by their tokens.

    Of unit length if the vectors were `normalized`. Inputs that were read whole keep theirs, bit by bit.
    """
    split = [each for each in too_long if not each.was_cut]
    if not split:
        return vectors
    counts = np.ones(len(vectors) - sum(each.windows - 1 for each in split), int)
    for each in split:
        counts[each.index] = each.windows
    ends = np.cumsum(counts)
    merged: NDArray[np.float32] = vectors[ends - counts]
    for each in split:
        end = ends[each.index]
        rows = slice(end - each.windows, end)
        mean = np.average(vectors[rows], axis=0, weights=[len(ids) for ids in sequences[rows]])
        merged[each.index] = unit_length(mean[None])[0] if normalized else mean
    return merged
