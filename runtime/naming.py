"""The nearest name that exists, for every error that says a name does not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, existing: Iterable[str]) -> str | None:
    """The existing name that somebody who wrote `name` most likely meant."""
    by_word = {_word(candidate): candidate for candidate in existing if candidate}
    word = _word(name)
    if word in by_word:
        return by_word[word]
    found = get_close_matches(word, by_word, n=1, cutoff=0.6)
    return by_word[found[0]] if found else None


def did_you_mean(name: str, existing: Iterable[str]) -> str:
    """The end of an error message: a question, or nothing."""
    found = nearest(name, existing)
    return "" if found is None else f"; did you mean '{found}'?"


def _word(name: str) -> str:
    # Half the letters of GateCalculator say nothing; they must not make it like MuxCalculator.
    folded = name.casefold()
    return folded.removesuffix("calculator") or folded
