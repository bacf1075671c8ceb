"""The texts that a benchmark sends: synthetic ones, or those of a file."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from calcgraph.runtime.errors import Code, InvalidStatus

SYNTHETIC: Final = "synthetic"
_WORD: Final = "hi "
"""One token in nearly every vocabulary; OVMS's benchmark takes the same."""
COLUMN: Final = "text"


class BadDataset(InvalidStatus):
    """The file cannot be read as texts; the message says where and what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.INVALID_ARGUMENT, message)


def synthetic(words: int) -> Iterator[str]:
    """The same text for ever."""
    return itertools.repeat(_WORD * words)


def read(file: Path) -> list[str]:
    """The texts of a .csv or .jsonl file with a column `text`, or of a .txt file, one a line.

    Raises BadDataset.
    """
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise BadDataset(
            f"--dataset {file}: expected '{SYNTHETIC}' or a file named *{', *'.join(_READERS)}"
        )
    try:
        texts = [text for text in reader(file) if text]
    except OSError as error:
        raise BadDataset(f"--dataset {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadDataset(f"--dataset {file} is not UTF-8: {error}") from None
    if not texts:
        raise BadDataset(f"--dataset {file} holds no texts")
    return texts


def _read_csv(file: Path) -> Iterator[str]:
    with file.open(newline="", encoding="utf-8") as lines:
        table = csv.DictReader(lines)
        if COLUMN not in (table.fieldnames or ()):
            raise BadDataset(
                f"{file}:1: expected a column '{COLUMN}', found {', '.join(table.fieldnames or ())}"
            )
        for row in table:
            yield row[COLUMN] or ""


def _read_jsonl(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                raise BadDataset(f"{file}:{number}: not JSON: {error}") from None
            text = value.get(COLUMN) if isinstance(value, dict) else value
            if not isinstance(text, str):
                raise BadDataset(
                    f'{file}:{number}: expected {{"{COLUMN}": "..."}} or a string, '
                    f"found {line.strip()[:60]}"
                )
            yield text


def _read_txt(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\r\n")


_READERS: Final[dict[str, Callable[[Path], Iterator[str]]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".txt": _read_txt,
}


def token_counter(place: Path) -> Callable[[Sequence[str]], list[int]]:
    """How many tokens texts have, without special tokens, by a tokenizer.json or the folder with one.

    Raises BadDataset.
    """
    file = place / "tokenizer.json" if place.is_dir() else place
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the very type that `tokenizers` raises
        raise BadDataset(f"--tokenizer {file} cannot be read: {error}") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def count(texts: Sequence[str]) -> list[int]:
        encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    return count
