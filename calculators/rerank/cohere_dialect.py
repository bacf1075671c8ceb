"""Cohere's `rerank` endpoint, versions 1 and 2, as OpenVINO Model Server serves it.

Jina, vLLM and LiteLLM speak it too. An answer has what each of them reads: `results` (all), `model` and
`usage` (Jina, vLLM), `meta` and, under Cohere's own paths, `id`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import numpy as np
import orjson

from calcgraph.calculators.openai_answer import FINGERPRINT_HEADER
from calcgraph.calculators.request_fields import boolean, integer, refuse, show, text
from calcgraph.calculators.rerank.values import Pairs, RerankQuery, Scores
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest, HttpResponse

VERB: Final = "rerank"
_DOCUMENTS_A_SEARCH: Final = 100
"""What Cohere counts as one search."""
_DEFAULT_FIELDS: Final = ("text",)


def read(request: HttpRequest, max_documents: int) -> tuple[RerankQuery, CohereAnswer]:
    """Check one request. Raises RequestError naming the parameter; null is the same as absent."""
    path = request.path.rstrip("/")
    if path.rpartition("/")[2] != VERB:
        raise RequestError(
            f"This model reranks: it answers {path.rpartition('/')[0]}/{VERB}, and not {path}.",
            param="model",
            reason="wrong_endpoint",
        )
    body = request.body
    documents = _required(body, "documents")
    if not isinstance(documents, list):
        refuse("documents", f"must be an array of strings or objects, found {show(documents)}")
    if not documents:
        refuse("documents", "must not be an empty array")
    if len(documents) > max_documents:
        refuse("documents", f"must have {max_documents} elements at most, found {len(documents)}")
    query = _required(body, "query")
    if not isinstance(query, str):
        refuse("query", f"must be a string, found {show(query)}")
    fields = _rank_fields(body)
    asked = RerankQuery(
        query,
        [_document_text(i, document, fields) for i, document in enumerate(documents)],
        text(body, "instruction"),
        _count(body, "max_chunks_per_doc"),
        _count(body, "max_tokens_per_doc"),
    )
    answer = CohereAnswer(
        path=path,
        model=str(body.get("model", "")),
        top_n=_count(body, "top_n"),
        returned=documents if boolean(body, "return_documents", False) else None,
    )
    return asked, answer


def _required(body: Mapping[str, Any], name: str) -> Any:
    value = body.get(name)
    if value is None:
        raise RequestError(
            f"Missing required parameter: '{name}'.",
            param=name,
            reason="missing_required_parameter",
        )
    return value


def _count(body: Mapping[str, Any], name: str) -> int | None:
    value = integer(body, name)
    if value is not None and value < 1:
        refuse(name, f"must be at least 1, found {show(value)}")
    return value


def _rank_fields(body: Mapping[str, Any]) -> Sequence[str]:
    fields = body.get("rank_fields")
    if fields is None:
        return _DEFAULT_FIELDS
    if not isinstance(fields, list) or not fields:
        refuse("rank_fields", f"must be an array of names, found {show(fields)}")
    for i, name in enumerate(fields):
        if not isinstance(name, str):
            refuse(f"rank_fields[{i}]", f"must be a string, found {show(name)}")
    return fields


def _document_text(index: int, document: Any, fields: Sequence[str]) -> str:
    """The text itself, or those fields of an object that are to be ranked by, a line each."""
    if isinstance(document, str):
        return document
    if not isinstance(document, dict):
        refuse(f"documents[{index}]", f"must be a string or an object, found {show(document)}")
    return "\n".join(_field(index, document, name) for name in fields)


def _field(index: int, document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if value is None:
        refuse(f"documents[{index}]", f"has no field '{name}', which it is to be ranked by")
    if not isinstance(value, str):
        refuse(f"documents[{index}].{name}", f"must be a string, found {show(value)}")
    return value


@dataclass(frozen=True, slots=True)
class CohereAnswer:
    """How to answer one request."""

    path: str
    model: str
    top_n: int | None
    returned: Sequence[str | Mapping[str, Any]] | None
    """The documents as they were sent, when they are to be sent back."""

    def write(self, scores: Scores, pairs: Pairs, fingerprint: str) -> HttpResponse:
        # Equal scores keep the order of the request.
        order = np.argsort(-scores, kind="stable")[: self.top_n]
        answer: dict[str, Any] = {} if self._is_ovms else {"id": str(uuid4())}
        answer |= {
            "model": self.model,
            "results": [self._result(int(index), scores[index]) for index in order],
            "usage": {"prompt_tokens": pairs.tokens, "total_tokens": pairs.tokens},
            "meta": self._meta(pairs),
        }
        headers = {}
        if fingerprint:
            answer["system_fingerprint"] = fingerprint
            headers[FINGERPRINT_HEADER] = fingerprint
        body = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
        return HttpResponse(body, headers=headers)

    @property
    def _is_ovms(self) -> bool:
        return self.path == f"/v3/{VERB}"

    def _result(self, index: int, score: np.float32) -> dict[str, Any]:
        result = {"index": index, "relevance_score": score}
        if self.returned is None:
            return result
        document = self.returned[index]
        return result | {"document": {"text": document} if isinstance(document, str) else document}

    def _meta(self, pairs: Pairs) -> dict[str, Any]:
        searches = -(-len(pairs.sequences) // _DOCUMENTS_A_SEARCH)
        meta: dict[str, Any] = {
            "api_version": {"version": "2" if self.path.endswith(f"/v2/{VERB}") else "1"},
            "billed_units": {"search_units": searches},
            "tokens": {"input_tokens": pairs.tokens},
        }
        if pairs.warnings:
            meta["warnings"] = pairs.warnings
        return meta
