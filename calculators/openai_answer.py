"""How vectors are written for a client of OpenAI's API: as JSON, or bare for those who want speed."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import orjson
from numpy.typing import NDArray

from calcgraph.calculators.dimensions import shorten
from calcgraph.calculators.lengths import report
from calcgraph.calculators.quantized import FORMS
from calcgraph.calculators.values import Embeddings, Tokens, require_vectors
from calcgraph.runtime.payload import HttpResponse

FINGERPRINT_HEADER: Final = "x-system-fingerprint"
TRUNCATED_HEADER: Final = "x-truncated-inputs"


@dataclass(frozen=True, slots=True)
class OpenAIAnswer:
    """The JSON of OpenAI, a list or a base64 string a vector."""

    model: str
    base64: bool = False
    dimensions: int | None = None

    def write(
        self, embeddings: Embeddings | None, tokens: Tokens, fingerprint: str
    ) -> HttpResponse:
        vectors = _vectors(embeddings, self.dimensions)
        # The clients decode little-endian float32.
        rows = _base64_rows(FORMS["float"](vectors)) if self.base64 else list(vectors)
        return _json(self.model, rows, tokens, fingerprint)


@dataclass(frozen=True, slots=True)
class TypedAnswer:
    """The same JSON, each `embedding` an object with the types that were asked for."""

    model: str
    types: Sequence[str]
    base64: bool = False
    dimensions: int | None = None

    def write(
        self, embeddings: Embeddings | None, tokens: Tokens, fingerprint: str
    ) -> HttpResponse:
        vectors = _vectors(embeddings, self.dimensions)
        forms = [FORMS[kind](vectors) for kind in self.types]
        columns = [_base64_rows(form) if self.base64 else list(form) for form in forms]
        rows = [dict(zip(self.types, row, strict=True)) for row in zip(*columns, strict=True)]
        return _json(self.model, rows, tokens, fingerprint)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """The numbers alone, row by row; what JSON would tell besides stands in headers."""

    model: str
    npy: bool
    """As a .npy file, which knows its own shape and type."""
    kind: str = "float"
    dimensions: int | None = None

    def write(
        self, embeddings: Embeddings | None, tokens: Tokens, fingerprint: str
    ) -> HttpResponse:
        rows = FORMS[self.kind](_vectors(embeddings, self.dimensions))
        count = str(tokens.count)
        headers = {
            "x-model": quote(self.model, safe="/:@"),
            "x-embedding-shape": f"{rows.shape[0]},{rows.shape[1]}",
            "x-embedding-dtype": rows.dtype.name,
            "x-usage-prompt-tokens": count,
            "x-usage-total-tokens": count,
            **_headers(tokens, fingerprint),
        }
        if self.npy:
            file = io.BytesIO()
            np.save(file, rows)
            return HttpResponse(file.getvalue(), "application/x-npy", headers)
        return HttpResponse(rows.tobytes(), "application/octet-stream", headers)


def _vectors(embeddings: Embeddings | None, dimensions: int | None) -> NDArray[Any]:
    vectors = require_vectors(embeddings, "serializer")
    if dimensions is None:
        return vectors
    assert embeddings is not None
    return shorten(vectors, dimensions, normalized=embeddings.normalized)


def _base64_rows(rows: NDArray[Any]) -> list[str]:
    return [b64encode(row).decode() for row in rows]


def _json(model: str, rows: Sequence[Any], tokens: Tokens, fingerprint: str) -> HttpResponse:
    count = tokens.count
    usage: dict[str, Any] = {"prompt_tokens": count, "total_tokens": count}
    if tokens.too_long:
        usage |= report(tokens.too_long)
    body = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)
        ],
        "model": model,
        "usage": usage,
    }
    if fingerprint:
        body["system_fingerprint"] = fingerprint
    return HttpResponse(
        orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY),
        headers=_headers(tokens, fingerprint),
    )


def _headers(tokens: Tokens, fingerprint: str) -> Mapping[str, str]:
    headers = {FINGERPRINT_HEADER: fingerprint} if fingerprint else {}
    cut = sum(each.was_cut for each in tokens.too_long)
    if cut:
        headers[TRUNCATED_HEADER] = str(cut)
    return headers
