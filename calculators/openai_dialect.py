"""OpenAI's `embeddings` endpoint: from its JSON body to texts, and from vectors to its answer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import orjson
from numpy.typing import NDArray

from calcgraph.calculators.dimensions import shorten
from calcgraph.calculators.values import Embeddings, TextInput, require_vectors
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpResponse

MAX_INPUTS = 2048
_ENCODINGS = ("float", "base64")


def read(body: Mapping[str, Any], max_inputs: int = MAX_INPUTS) -> tuple[TextInput, OpenAIAnswer]:
    """Check one request body. Raises RequestError naming the parameter; null is the same as absent."""
    encoding = body.get("encoding_format") or "float"
    if encoding not in _ENCODINGS:
        _refuse("encoding_format", f"must be 'float' or 'base64', found {_show(encoding)}")
    dimensions = body.get("dimensions")
    if dimensions is not None and not _is_integer(dimensions):
        _refuse("dimensions", f"must be an integer, found {_show(dimensions)}")
    answer = OpenAIAnswer(str(body.get("model", "")), encoding == "base64", dimensions)
    return _read_input(body.get("input"), max_inputs), answer


def _read_input(value: Any, max_inputs: int) -> TextInput:
    match value:
        case None:
            raise RequestError(
                "Missing required parameter: 'input'.",
                param="input",
                reason="missing_required_parameter",
            )
        case str():
            return TextInput(texts=[value])
        case []:
            _refuse("input", "must not be an empty array")
        case [int(), *_] if _is_integer(value[0]):
            return TextInput(token_ids=[_token_ids(value, "input")])
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
            _refuse("input", f"{_WANTED}, found {_show(value)}")


_WANTED = "must be a string, an array of strings, an array of token ids or an array of such arrays"


def _read_list(values: list[Any]) -> TextInput:
    kind = type(values[0])
    if kind not in (str, list):
        _refuse(
            "input[0]",
            f"must be a string, a token id or an array of token ids, found {_show(values[0])}",
        )
    for i, value in enumerate(values):
        if type(value) is not kind:
            _refuse(
                f"input[{i}]",
                f"must be {'a string' if kind is str else 'an array of token ids'} like input[0], "
                f"found {_show(value)}",
            )
    if kind is str:
        return TextInput(texts=values)
    return TextInput(token_ids=[_token_ids(v, f"input[{i}]") for i, v in enumerate(values)])


def _token_ids(values: list[Any], where: str) -> NDArray[np.int64]:
    if not values:
        _refuse(where, "must hold at least one token id, found an empty array")
    for i, value in enumerate(values):
        if not _is_integer(value) or not -(2**63) <= value < 2**63:
            _refuse(f"{where}[{i}]", f"must be a token id (an integer), found {_show(value)}")
    return np.array(values, np.int64)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _show(value: Any) -> str:
    """A value as its sender wrote it, kept short."""
    match value:
        case None | bool() | float() | str():
            text = orjson.dumps(value).decode()
        case int():
            text = str(value) if abs(value) < 10**40 else "a very large integer"
        case _:
            text = "an array" if isinstance(value, list) else "an object"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse(param: str, what: str) -> NoReturn:
    raise RequestError(f"'{param}' {what}", param=param.partition("[")[0])


@dataclass(frozen=True, slots=True)
class OpenAIAnswer:
    """How to answer one OpenAI request."""

    model: str
    base64: bool
    dimensions: int | None

    def write(self, embeddings: Embeddings, prompt_tokens: int) -> HttpResponse:
        vectors = require_vectors(embeddings, "serializer")
        if self.dimensions is not None:
            vectors = shorten(embeddings, vectors, self.dimensions)
        rows: Sequence[Any]
        if self.base64:
            # The clients decode little-endian float32.
            rows = [b64encode(row).decode() for row in np.ascontiguousarray(vectors, "<f4")]
        else:
            rows = list(vectors)
        return HttpResponse(
            orjson.dumps(
                {
                    "object": "list",
                    "data": [
                        {"object": "embedding", "index": i, "embedding": row}
                        for i, row in enumerate(rows)
                    ],
                    "model": self.model,
                    "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
                },
                option=orjson.OPT_SERIALIZE_NUMPY,
            )
        )
