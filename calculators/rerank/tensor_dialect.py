"""The Open Inference Protocol (KServe v2) on a reranker: a query and documents in, scores out.

`query` is BYTES of one element, `documents` BYTES [N]; the answer is `scores`, FP32 [N], in the order of
the documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from calcgraph.calculators.rerank.values import Pairs, RerankQuery, Scores
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import InferRequest, InferResponse, Tensor, TensorSpec

QUERY: Final = "query"
DOCUMENTS: Final = "documents"
OUTPUT: Final = "scores"

INPUTS: Final = (TensorSpec(QUERY, "BYTES", (1,)), TensorSpec(DOCUMENTS, "BYTES", (-1,)))
OUTPUTS: Final = (TensorSpec(OUTPUT, "FP32", (-1,)),)


def read(request: InferRequest, max_documents: int) -> tuple[RerankQuery, TensorAnswer]:
    """Check one request. Raises RequestError naming the tensor."""
    tensors = {tensor.name: tensor for tensor in request.inputs}
    if sorted(tensors) != sorted((QUERY, DOCUMENTS)):
        found = ", ".join(map(repr, tensors)) or "no input"
        _refuse(QUERY, f"expected the inputs '{QUERY}' and '{DOCUMENTS}' (BYTES), found {found}")
    query, documents = (_texts(tensors[name]) for name in (QUERY, DOCUMENTS))
    if len(query) != 1:
        _refuse(QUERY, f"input '{QUERY}' must have one element, found {len(query)}")
    if not 1 <= len(documents) <= max_documents:
        _refuse(
            DOCUMENTS,
            f"input '{DOCUMENTS}' must have 1 to {max_documents} elements, found {len(documents)}",
        )
    return RerankQuery(query[0], documents), TensorAnswer()


def _texts(tensor: Tensor) -> Sequence[str]:
    if tensor.datatype != "BYTES":
        _refuse(tensor.name, f"input '{tensor.name}' must be BYTES, found {tensor.datatype}")
    if len(tensor.shape) > 2 or (len(tensor.shape) == 2 and tensor.shape[1] != 1):
        _refuse(
            tensor.name,
            f"input '{tensor.name}' must have shape [N] or [N, 1], found {list(tensor.shape)}",
        )
    try:
        return [element.decode() for element in tensor.data.reshape(-1)]
    except UnicodeDecodeError as error:
        _refuse(tensor.name, f"input '{tensor.name}' is not UTF-8 ({error.reason})")


def _refuse(param: str, message: str) -> NoReturn:
    raise RequestError(message, param=param)


@dataclass(frozen=True, slots=True)
class TensorAnswer:
    """How to answer one request."""

    def write(self, scores: Scores, pairs: Pairs, fingerprint: str) -> InferResponse:
        parameters: dict[str, bool | int | float | str] = {"prompt_tokens": pairs.tokens}
        if fingerprint:
            parameters["system_fingerprint"] = fingerprint
        return InferResponse([Tensor(OUTPUT, "FP32", scores)], parameters)
