"""Token ids, and what makes them of texts and texts of them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


class Encoder(Protocol):
    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Each text's ids with its special tokens, neither padded nor truncated."""
        ...


class Decoder(Protocol):
    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, without special tokens."""
        ...
