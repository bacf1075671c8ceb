"""tokenizer.json through HF `tokenizers`: the ids that every other way has to equal."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.model_files import read_json
from calcgraph.calculators.tokenization.pairs import PairLayout, layout_of
from calcgraph.calculators.tokenization.special_tokens import SpecialTokens


class ReferenceTokenizer:
    """Safe for concurrent use; `encode` leaves the GIL while it works."""

    def __init__(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        try:
            self._tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # the very type that `tokenizers` raises
            raise ValueError(f"{file} is not a tokenizer: {error}") from error
        padding = self._tokenizer.padding
        self.pad_id: int | None = (
            padding["pad_id"] if padding else self._declared_pad_id(file.parent)
        )
        # Files come with whatever truncation and padding their training used.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.spec: dict[str, Any] = json.loads(text)
        self.special_tokens = self._read_special_tokens()

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        try:
            # The "fast" variant leaves out character offsets, nothing else.
            encodings = self._tokenizer.encode_batch_fast(list(texts))
        except BaseException as error:
            # A panic of the Rust code is no Exception, and would end a server's task.
            if type(error).__name__ == "PanicException":
                raise RuntimeError(f"tokenizers panicked: {error}") from error
            raise
        return [np.array(encoding.ids, np.int64) for encoding in encodings]

    def encode_split(self, text: str, place: int) -> tuple[Ids, Ids]:
        """The ids of a text without special tokens: of what comes before a character, and of the rest.

        A token that reaches over that place belongs to the rest.
        """
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        ids = np.array(encoding.ids, np.int64)
        ends = [end for _, end in encoding.offsets]
        split = next((i for i, end in enumerate(ends) if end > place), len(ids))
        return ids[:split], ids[split:]

    def pair_layout(self) -> PairLayout:
        """How two texts are put together. ValueError if that cannot be seen."""
        return layout_of(self._tokenizer.encode("a", "a"))

    def token_id(self, token: str) -> int | None:
        """The id of a token as the vocabulary spells it."""
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids))

    @property
    def vocab_size(self) -> int:
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def _declared_pad_id(self, folder: Path) -> int | None:
        token = read_json(folder / "tokenizer_config.json").get("pad_token")
        content = token.get("content") if isinstance(token, dict) else token
        return self._tokenizer.token_to_id(content) if isinstance(content, str) else None

    def _read_special_tokens(self) -> SpecialTokens:
        encoding = self._tokenizer.encode("a")
        ids = np.array(encoding.ids, np.int64)
        own = np.flatnonzero(np.array(encoding.special_tokens_mask) == 0)
        if own.size == 0:
            return SpecialTokens(prefix=ids, suffix=ids[:0])
        return SpecialTokens(prefix=ids[: own[0]], suffix=ids[own[-1] + 1 :])
