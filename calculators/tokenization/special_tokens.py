"""The special tokens around a text ([CLS] ... [SEP]): taking them off, cutting between them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from calcgraph.calculators.tokenization.ids import Ids

Side = Literal["left", "right"]


@dataclass(frozen=True)
class SpecialTokens:
    """What a tokenizer puts before and after every text. Either part may be empty."""

    prefix: Ids
    suffix: Ids

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)

    def surround(self, ids: Ids) -> bool:
        """Whether `ids` begin and end as those of a text do."""
        return len(ids) >= len(self) and bool(
            np.array_equal(ids[: len(self.prefix)], self.prefix)
            and np.array_equal(ids[len(ids) - len(self.suffix) :], self.suffix)
        )

    def strip(self, ids: Ids) -> Ids:
        """The text's own tokens."""
        return ids[len(self.prefix) : len(ids) - len(self.suffix)]

    def truncate(self, ids: Ids, limit: int, side: Side = "right") -> Ids:
        """At most `limit` ids, dropping the text's own tokens from `side`.

        `ids` are those of one text with its special tokens. Equals what HF `tokenizers`
        gives after `enable_truncation(limit, direction=side)`, for every limit that leaves
        room for the special tokens; a smaller one is a ValueError.
        """
        if limit < len(self):
            raise ValueError(
                f"cannot truncate to {limit} tokens: the special tokens alone are {len(self)}"
            )
        if len(ids) <= limit:
            return ids
        own, room = self.strip(ids), limit - len(self)
        kept = own[:room] if side == "right" else own[len(own) - room :]
        return np.concatenate([self.prefix, kept, self.suffix])
