"""The texts that are sent: real ones, and ones of a given length made of real words."""

import csv
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenizers import Tokenizer

SPECIAL_TOKENS = 2
FILLER = "card"
"""A word of one token."""


def banking(file: Path) -> list[str]:
    """What customers ask a bank: 16 tokens on average."""
    with file.open(newline="", encoding="utf-8") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    random.Random(1).shuffle(texts)
    return texts


class Words:
    """Texts of exactly so many tokens, special ones included, of the words of given texts."""

    def __init__(self, texts: Sequence[str], tokenizer: Tokenizer) -> None:
        words = " ".join(texts).split()
        random.Random(2).shuffle(words)
        lengths = {
            word: len(tokenizer.encode(word, add_special_tokens=False).ids) for word in set(words)
        }
        # Words are tokenized one by one, so that lengths add up.
        self._words: Iterator[tuple[str, int]] = itertools.cycle((w, lengths[w]) for w in words)

    def text(self, tokens: int) -> str:
        left, chosen = tokens - SPECIAL_TOKENS, []
        while left > 0:
            word, length = next(self._words)
            if length > left:
                word, length = FILLER, 1
            chosen.append(word)
            left -= length
        return " ".join(chosen)

    def mixed(self, count: int, shortest: int, longest: int) -> list[str]:
        """Every length as likely as any other."""
        draw = random.Random(3)
        return [self.text(draw.randint(shortest, longest)) for _ in range(count)]
