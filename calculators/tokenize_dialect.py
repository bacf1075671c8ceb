"""The `tokenize` endpoint as OpenVINO Model Server has it, and its inverse, `detokenize`.

    {"text": "hello world"}        ->  {"tokens": [101, 7592, 2088, 102]}
    {"text": ["hello", "world"]}   ->  {"tokens": [[101, 7592, 102], [101, 2088, 102]]}
    {"tokens": [101, 7592, 102]}   ->  {"text": "hello"}

An array of one text is answered like the text alone, as OVMS does it; `detokenize` tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from calcgraph.calculators.openai_answer import FINGERPRINT_HEADER
from calcgraph.calculators.openai_dialect import token_ids
from calcgraph.calculators.request_fields import boolean, integer, refuse, show, text
from calcgraph.calculators.tokenization.special_tokens import Side
from calcgraph.calculators.values import (
    Answer,
    Detokenization,
    Embeddings,
    TextInput,
    Tokenization,
    Tokens,
)
from calcgraph.runtime.payload import HttpRequest, HttpResponse

LONGEST: Final = 1 << 16
"""Tokens that a text may be padded to, so that a short request cannot ask for an endless answer."""
_SIDES: Final[Mapping[str | None, Side]] = {None: "right", "right": "right", "left": "left"}


def read_tokenize(request: HttpRequest, max_inputs: int) -> tuple[TextInput, Answer]:
    """Check one `tokenize` request. Raises RequestError naming the field."""
    body = request.body
    texts = _texts(body.get("text"), max_inputs)
    max_length = integer(body, "max_length")
    if max_length is not None and not 1 <= max_length <= LONGEST:
        refuse("max_length", f"must be between 1 and {LONGEST}, found {show(max_length)}")
    side = text(body, "padding_side")
    if side not in _SIDES:
        refuse("padding_side", f"must be 'left' or 'right', found {show(side)}")
    wanted = Tokenization(
        add_special_tokens=boolean(body, "add_special_tokens", True),
        max_length=max_length,
        pad=boolean(body, "pad_to_max_length", False),
        padding_side=_SIDES[side],
    )
    return TextInput(texts, only=wanted), TokensAnswer()


def read_detokenize(request: HttpRequest, max_inputs: int) -> tuple[TextInput, Answer]:
    """Check one `detokenize` request. Raises RequestError naming the field."""
    tokens = request.body.get("tokens")
    if not isinstance(tokens, list):
        refuse("tokens", f"must be an array of token ids, or of such arrays; found {show(tokens)}")
    nested = bool(tokens) and isinstance(tokens[0], list)
    rows = tokens if nested else [tokens]
    _check_count("tokens", len(rows), max_inputs)
    ids = []
    for i, row in enumerate(rows):
        where = f"tokens[{i}]" if nested else "tokens"
        if not isinstance(row, list):
            refuse(where, f"must be an array of token ids like tokens[0], found {show(row)}")
        ids.append(token_ids(row, where))
    return TextInput(token_ids=ids, only=Detokenization()), TextAnswer(nested)


def _texts(value: Any, max_inputs: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        refuse("text", f"must be a string or an array of strings, found {show(value)}")
    if not value:
        refuse("text", "must not be an empty array")
    _check_count("text", len(value), max_inputs)
    for i, each in enumerate(value):
        if not isinstance(each, str):
            refuse(f"text[{i}]", f"must be a string, found {show(each)}")
    return value


def _check_count(field: str, count: int, most: int) -> None:
    if count > most:
        refuse(field, f"must hold at most {most} elements, found {count}")


@dataclass(frozen=True, slots=True)
class TokensAnswer:
    """The ids of one text, or an array of them."""

    def write(
        self, embeddings: Embeddings | None, tokens: Tokens, fingerprint: str
    ) -> HttpResponse:
        rows = list(tokens.sequences)
        return _json({"tokens": rows[0] if len(rows) == 1 else rows}, fingerprint)


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """The text of one array of ids, or an array of them."""

    nested: bool

    def write(
        self, embeddings: Embeddings | None, tokens: Tokens, fingerprint: str
    ) -> HttpResponse:
        assert tokens.texts is not None
        return _json({"text": tokens.texts if self.nested else tokens.texts[0]}, fingerprint)


def _json(body: Mapping[str, Any], fingerprint: str) -> HttpResponse:
    return HttpResponse(
        orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY),
        headers={FINGERPRINT_HEADER: fingerprint} if fingerprint else {},
    )
