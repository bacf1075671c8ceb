"""Where a value stands in the text of a JSON file, for messages about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, of the key or element that a path of keys and indices leads to.

    `text` is valid JSON. A path that leads nowhere gets as far as it can.
    """
    found = value_at = _skip(text, 0)
    for step in path:
        members = {name: (at, value) for name, at, value in _members(text, value_at)}
        if step not in members:
            break
        found, value_at = members[step]
    return text.count("\n", 0, found) + 1


def _members(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Of the object or list at an offset: each key or index, its own offset, and its value's."""
    opened = text[at]
    if opened not in "{[":
        return
    at, index = _skip(text, at + 1), 0
    while text[at] not in "}]":
        name: str | int = index
        key_at = at
        if opened == "{":
            name, end = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, end) + 1)
        yield name, key_at, at
        _, end = _DECODER.raw_decode(text, at)
        at, index = _skip(text, end), index + 1
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # it matches nothing at all
    return found.end()
