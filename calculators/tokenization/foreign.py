"""Token ids of another vocabulary (OpenAI's), read as the text they stand for.

langchain-openai tokenizes with tiktoken before it asks, whoever serves the model. Such ids may well lie within
this model's vocabulary too, where they mean other words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from calcgraph.calculators.tokenization.ids import Ids

if TYPE_CHECKING:
    import tiktoken


class ForeignVocabulary:
    """One encoding of tiktoken, which is an extra: `pip install calcgraph[tiktoken]`."""

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self._encoding = encoding

    @classmethod
    def open(cls, name: str) -> Self:
        """By its name, for example cl100k_base. Raises ValueError saying what is missing."""
        try:
            import tiktoken
        except ImportError:
            raise ValueError(
                f"token_input: {name!r} needs tiktoken: pip install 'calcgraph[tiktoken]'"
            ) from None
        known = tiktoken.list_encoding_names()
        if name not in known:
            raise ValueError(
                f"token_input: expected 'model', 'reject' or an encoding of tiktoken "
                f"({', '.join(sorted(known))}), found {name!r}"
            )
        try:
            return cls(tiktoken.get_encoding(name))
        except OSError as error:  # requests' errors are OSErrors too
            raise ValueError(
                f"token_input: tiktoken cannot get the file of {name!r} ({error}): where there is no network, "
                "set TIKTOKEN_CACHE_DIR to a folder that holds it"
            ) from error

    @property
    def name(self) -> str:
        return self._encoding.name

    def texts(self, sequences: Sequence[Ids]) -> list[str]:
        """What each sequence stands for. Raises ValueError naming an id that is none of this vocabulary."""
        return [self._text(index, ids.tolist()) for index, ids in enumerate(sequences)]

    def _text(self, index: int, ids: list[int]) -> str:
        try:
            return self._encoding.decode(ids)
        except (KeyError, OverflowError):
            wrong = next(i for i in ids if not self._has(i))
            raise ValueError(f"input[{index}]: {wrong} is no token id of {self.name}") from None

    def _has(self, id: int) -> bool:
        try:
            self._encoding.decode_single_token_bytes(id)
        except (KeyError, OverflowError):
            return False
        return True
