"""OpenAI's `embeddings` endpoint: from its JSON body to texts, and to the form of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.openai_answer import OpenAIAnswer, RawAnswer, TypedAnswer
from calcgraph.calculators.quantized import FORMS
from calcgraph.calculators.request_fields import (
    integer,
    is_integer,
    read_length,
    read_prompt,
    refuse,
    show,
)
from calcgraph.calculators.values import Answer, TextInput
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest

MAX_INPUTS = 2048
_ENCODINGS = ("float", "base64")
# Media types that a request may accept, and whether that is a .npy file.
_RAW: Final[Mapping[str, bool]] = {
    "application/octet-stream": False,
    "application/x-npy": True,
    "application/npy": True,
}


def read(request: HttpRequest, max_inputs: int = MAX_INPUTS) -> tuple[TextInput, Answer]:
    """Check one request. Raises RequestError naming the parameter; null is the same as absent."""
    body = request.body
    answer = _read_answer(body, request.headers.get("Accept", ""))
    texts, token_ids = _read_input(body.get("input"), max_inputs)
    sender = request.headers.get("User-Agent", "") if token_ids is not None else ""
    value = TextInput(texts, token_ids, read_length(body), read_prompt(body), None, sender)
    return value, answer


def _read_answer(body: Mapping[str, Any], accept: str) -> Answer:
    encoding = body.get("encoding_format")
    if encoding is None:
        encoding = "float"
    if encoding not in _ENCODINGS:
        refuse("encoding_format", f"must be 'float' or 'base64', found {show(encoding)}")
    dimensions = integer(body, "dimensions")
    model, base64 = str(body.get("model", "")), encoding == "base64"
    types = body.get("embedding_types")
    raw = _raw_form(accept)
    if types is None and raw is None:
        return OpenAIAnswer(model, base64, dimensions)
    if types is None:
        types = ["float"]
    elif not isinstance(types, list) or not types:
        refuse("embedding_types", f"must be an array of types, found {show(types)}")
    for i, kind in enumerate(types):
        if not isinstance(kind, str) or kind not in FORMS:
            refuse(
                f"embedding_types[{i}]", f"must be one of {', '.join(FORMS)}; found {show(kind)}"
            )
    if raw is None:
        return TypedAnswer(model, list(dict.fromkeys(types)), base64, dimensions)
    if len(types) > 1:
        refuse(
            "embedding_types",
            f"must name one type where the answer is bare numbers, found {len(types)}",
        )
    return RawAnswer(model, raw, types[0], dimensions)


def _raw_form(accept: str) -> bool | None:
    """Whether bare numbers are wanted as .npy; None is JSON. The first media type known here counts."""
    if "npy" not in accept and "octet-stream" not in accept:
        return None
    for part in accept.split(","):
        media = part.partition(";")[0].strip().lower()
        if media in _RAW:
            return _RAW[media]
        if media == "application/json":
            break
    return None


_Input = tuple[list[str] | None, list[NDArray[np.int64]] | None]


def _read_input(value: Any, max_inputs: int) -> _Input:
    match value:
        case None:
            raise RequestError(
                "Missing required parameter: 'input'.",
                param="input",
                reason="missing_required_parameter",
            )
        case str():
            return [value], None
        case []:
            refuse("input", "must not be an empty array")
        case [int(), *_] if is_integer(value[0]):
            return None, [token_ids(value, "input")]
        case list():
            if len(value) > max_inputs:
                raise RequestError(
                    f"Invalid 'input': array too long. Expected an array with maximum length "
                    f"{max_inputs}, but got an array with length {len(value)} instead.",
                    param="input",
                    reason="array_above_max_length",
                )
            return _read_list(value)
        case _:
            refuse("input", f"{_WANTED}, found {show(value)}")


_WANTED = "must be a string, an array of strings, an array of token ids or an array of such arrays"


def _read_list(values: list[Any]) -> _Input:
    kind = type(values[0])
    if kind not in (str, list):
        refuse(
            "input[0]",
            f"must be a string, a token id or an array of token ids, found {show(values[0])}",
        )
    for i, value in enumerate(values):
        if type(value) is not kind:
            refuse(
                f"input[{i}]",
                f"must be {'a string' if kind is str else 'an array of token ids'} like input[0], "
                f"found {show(value)}",
            )
    if kind is str:
        return values, None
    return None, [token_ids(v, f"input[{i}]") for i, v in enumerate(values)]


def token_ids(values: list[Any], where: str) -> NDArray[np.int64]:
    """One JSON array of token ids. Raises RequestError naming the place of what is none."""
    if not values:
        refuse(where, "must hold at least one token id, found an empty array")
    for i, value in enumerate(values):
        if not is_integer(value) or not -(2**63) <= value < 2**63:
            refuse(f"{where}[{i}]", f"must be a token id (an integer), found {show(value)}")
    return np.array(values, np.int64)
