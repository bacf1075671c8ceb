"""The nearest name that exists, for every error that says a name does not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, existing: Iterable[str]) -> str | None:
    """The existing name that somebody who wrote `name` most likely meant."""
    by_folded = {candidate.casefold(): candidate for candidate in existing}
    folded = name.casefold()
    if folded in by_folded:
        return by_folded[folded]
    found = get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, existing: Iterable[str]) -> str:
    """The end of an error message: a question, or nothing."""
    found = nearest(name, existing)
    return "" if found is None else f"; did you mean '{found}'?"
