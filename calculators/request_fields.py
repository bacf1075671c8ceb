"""The fields of a request that mean the same in every protocol: lengths, prompts, the fingerprint.

OpenAI's clients send them in the body, KServe's as parameters. Null is the same as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeVar

import orjson

from calcgraph.calculators.lengths import LengthWish, Overflow
from calcgraph.calculators.tokenization.special_tokens import Side
from calcgraph.calculators.values import PromptWish
from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.payload import HttpRequest, InferRequest

_EXPECTED_HEADER: Final = "x-expected-fingerprint"

Choice = TypeVar("Choice")

_LENGTH: Final = frozenset(
    {
        "overflow",
        "truncate",
        "truncate_prompt_tokens",
        "truncation_side",
        "truncation_direction",
        "chunk_overlap",
    }
)
_PROMPT: Final = frozenset({"prompt_name", "input_type", "instruction"})

# `truncate` as TEI and Ollama (a boolean), Cohere (where to discard) and plain words have it.
_TRUNCATE: Final[Mapping[Any, Overflow]] = {
    True: Overflow.TRUNCATE,
    False: Overflow.ERROR,
    "none": Overflow.ERROR,
    "end": Overflow.TRUNCATE,
    "right": Overflow.TRUNCATE,
    "start": Overflow.TRUNCATE_LEFT,
    "left": Overflow.TRUNCATE_LEFT,
}
_SIDES: Final[Mapping[Any, Side]] = {"left": "left", "right": "right"}
_OVERFLOWS: Final[Mapping[Any, Overflow]] = {each.value: each for each in Overflow}

# What is embedded to search with, and what is searched, in the words of Cohere, Voyage and NVIDIA.
_INPUT_TYPES: Final[Mapping[Any, str]] = {
    "query": "query",
    "search_query": "query",
    "document": "document",
    "search_document": "document",
    "passage": "document",
}


def read_length(fields: Mapping[str, Any]) -> LengthWish | None:
    """How the request wants long inputs treated. Raises RequestError naming the field."""
    if _LENGTH.isdisjoint(fields):
        return None
    overflow = _choice(fields, "overflow", _OVERFLOWS)
    truncate = _choice(fields, "truncate", _TRUNCATE)
    if overflow is not None and truncate is not None:
        refuse("overflow", "and 'truncate' say the same: give one of them")
    limit = integer(fields, "truncate_prompt_tokens")
    if limit is not None:
        if limit < 1 and limit != -1:
            refuse(
                "truncate_prompt_tokens",
                f"must be at least 1, or -1 for the model's limit, found {limit}",
            )
        truncate = truncate or (None if overflow else Overflow.TRUNCATE)
    side = _choice(fields, "truncation_side", _SIDES)
    if side is None:
        side = _choice(fields, "truncation_direction", _SIDES)
    overlap = integer(fields, "chunk_overlap")
    if overlap is not None and overlap < 0:
        refuse("chunk_overlap", f"must be at least 0, found {overlap}")
    return LengthWish(overflow or truncate, side, None if limit == -1 else limit, overlap)


def read_prompt(fields: Mapping[str, Any]) -> PromptWish | None:
    """Which words the request wants before its texts. Raises RequestError naming the field."""
    if _PROMPT.isdisjoint(fields):
        return None
    name, instruction = text(fields, "prompt_name"), text(fields, "instruction")
    input_type = text(fields, "input_type")
    if name is not None and instruction is not None:
        refuse("prompt_name", "and 'instruction' exclude each other: give one of them")
    if name is None and instruction is None and input_type is None:
        return None
    # Cohere's other types (classification, clustering) are prompts that no model here has.
    kind = None if input_type is None else _INPUT_TYPES.get(input_type.lower(), input_type)
    return PromptWish(name, kind, instruction)


def check_fingerprint(request: HttpRequest | InferRequest, fingerprint: str) -> None:
    """Refuse a request that was meant for another model than this."""
    if isinstance(request, HttpRequest):
        expected = request.body.get("expected_fingerprint")
        if expected is None:
            expected = request.headers.get(_EXPECTED_HEADER)
    else:
        expected = request.parameters.get("expected_fingerprint")
    if expected is None or expected == fingerprint:
        return
    raise RequestError(
        f"The fingerprint of this model is {fingerprint or 'unknown'}, expected was {show(expected)}: its weights, "
        "tokenizer, pooling, prompts, precision or normalization are others. Vectors of the two do not "
        "belong in one index.",
        param="expected_fingerprint",
        reason="fingerprint_mismatch",
        code=Code.ABORTED,
    )


def integer(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and not is_integer(value):
        refuse(name, f"must be an integer, found {show(value)}")
    return value


def text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        refuse(name, f"must be a string, found {show(value)}")
    return value


def boolean(fields: Mapping[str, Any], name: str, default: bool) -> bool:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        refuse(name, f"must be true or false, found {show(value)}")
    return value


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _choice(fields: Mapping[str, Any], name: str, choices: Mapping[Any, Choice]) -> Choice | None:
    """One of the `choices`, whose words may be written large or small."""
    value = fields.get(name)
    if value is None:
        return None
    key = value.lower() if isinstance(value, str) else value
    # 1 equals True, and is not what was asked for.
    if isinstance(key, str | bool) and key in choices:
        return choices[key]
    words = ", ".join(show(each) for each in choices)
    refuse(name, f"must be one of {words}; found {show(value)}")


def show(value: Any) -> str:
    """A value as its sender wrote it, kept short."""
    match value:
        case None | bool() | float() | str():
            shown = orjson.dumps(value).decode()
        case int():
            shown = str(value) if abs(value) < 10**40 else "a very large integer"
        case _:
            shown = "an array" if isinstance(value, list) else "an object"
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def refuse(param: str, what: str) -> NoReturn:
    """The caller's mistake in one field, or in an element of it (`input[3]`)."""
    raise RequestError(f"'{param}' {what}", param=param.partition("[")[0])
