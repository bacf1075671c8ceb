"""A model folder's tokenizer: from texts to the ids that HF `tokenizers` gives, whatever the text."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from calcgraph.calculators.tokenization.compiled import CompiledDetokenizer, CompiledTokenizer
from calcgraph.calculators.tokenization.ids import Decoder, Encoder, Ids
from calcgraph.calculators.tokenization.model_files import read_json
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer
from calcgraph.calculators.tokenization.routing import RoutedTokenizer
from calcgraph.calculators.tokenization.special_tokens import Side, SpecialTokens

REFERENCE_FILE = "tokenizer.json"
COMPILED_FILE = "openvino_tokenizer.xml"
DETOKENIZER_FILE = "openvino_detokenizer.xml"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelTokenizer:
    """Opened once a model and shared: every method is safe for concurrent use.

    Ids are those of HF `tokenizers` on tokenizer.json. If the folder has openvino_tokenizer.xml
    too, that takes the large batches, as far as it is known to give the same ids. If it has
    nothing else, that takes everything, and rare characters may come out otherwise.
    """

    encoder: Encoder
    decoder: Decoder | None
    special_tokens: SpecialTokens
    vocab_size: int | None
    """How many tokens tokenizer.json lists, None without one. The ids that the model takes are
    those of its embedding table, which may have more rows."""
    reference: ReferenceTokenizer | None = None
    """tokenizer.json itself, for what needs more than ids."""
    pad_id: int | None = None
    """The token that fills up a sequence, None where no file names one."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what the folder has. FileNotFoundError if that is nothing, ValueError if bad."""
        if (folder / REFERENCE_FILE).is_file():
            return cls._open_reference(folder)
        if (folder / COMPILED_FILE).is_file():
            return cls._open_compiled(folder)
        raise FileNotFoundError(
            f"{folder} has neither {REFERENCE_FILE} nor {COMPILED_FILE}: copy {REFERENCE_FILE} "
            "from the model's original folder, or export the model again with its tokenizer"
        )

    @classmethod
    def _open_reference(cls, folder: Path) -> Self:
        reference = ReferenceTokenizer(folder / REFERENCE_FILE)
        encoder: Encoder = reference
        if (folder / COMPILED_FILE).is_file():
            try:
                encoder = RoutedTokenizer(reference, CompiledTokenizer(folder / COMPILED_FILE))
            except (ValueError, RuntimeError) as error:
                log.info("%s: %s is not used: %s", folder, COMPILED_FILE, error)
        return cls(
            encoder,
            reference,
            reference.special_tokens,
            reference.vocab_size,
            reference=reference,
            pad_id=reference.pad_id,
        )

    @classmethod
    def _open_compiled(cls, folder: Path) -> Self:
        log.warning(
            "%s has no %s: ids of rare characters may differ from the model's own",
            folder,
            REFERENCE_FILE,
        )
        detokenizer = folder / DETOKENIZER_FILE
        try:
            compiled = CompiledTokenizer(folder / COMPILED_FILE)
            decoder = CompiledDetokenizer(detokenizer) if detokenizer.is_file() else None
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"OpenVINO cannot load the tokenizer in {folder}: {error}") from error
        pad_id = read_json(folder / "config.json").get("pad_token_id")
        return cls(compiled, decoder, compiled.special_tokens, vocab_size=None, pad_id=pad_id)

    def encode(self, texts: Sequence[str], *, add_special_tokens: bool = True) -> list[Ids]:
        """Each text's ids, whole: neither padded nor truncated.

        A TypeError or ValueError names the index of a text that is no str, or no valid Unicode.
        """
        try:
            encoded = self.encoder.encode(texts)
        except Exception:
            check_texts(texts)
            raise
        return encoded if add_special_tokens else [self.special_tokens.strip(i) for i in encoded]

    def truncate(self, ids: Ids, limit: int, side: Side = "right") -> Ids:
        """At most `limit` of the ids of one text, its special tokens kept (see SpecialTokens)."""
        return self.special_tokens.truncate(ids, limit, side)

    def pad(self, ids: Ids, length: int, side: Side = "right") -> Ids:
        """`ids` filled up on one side; longer ones stay. ValueError if no token is there to do it."""
        if len(ids) >= length:
            return ids
        if self.pad_id is None:
            raise ValueError("this model's tokenizer has no padding token")
        filling = np.full(length - len(ids), self.pad_id, np.int64)
        return np.concatenate([ids, filling] if side == "right" else [filling, ids])

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, without special tokens."""
        if self.decoder is None:
            raise ValueError(f"no decoding without {REFERENCE_FILE} or {DETOKENIZER_FILE}")
        return self.decoder.decode(ids)


def check_texts(texts: Sequence[str]) -> None:
    """Name the first text that is no str (TypeError) or no valid Unicode (ValueError)."""
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {index} is {type(text).__name__}, not str")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            code = ord(text[error.start])
            raise ValueError(
                f"text {index} is not valid Unicode: "
                f"lone surrogate U+{code:04X} at character {error.start}"
            ) from None
