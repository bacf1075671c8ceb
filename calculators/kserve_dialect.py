"""The Open Inference Protocol (KServe v2) on an embeddings model: tensors to texts, vectors to a tensor.

Text form: one BYTES tensor `input` of shape [N], [N, 1] or []. Token form: `input_ids` [N, L] with an
optional `attention_mask` and `token_type_ids` of the same shape, INT64 or INT32. Either way the answer
is `embeddings`, FP32 [N, D]. Parameters are what the OpenAI endpoint has for fields of the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.dimensions import shorten
from calcgraph.calculators.lengths import report
from calcgraph.calculators.request_fields import integer, read_length, read_prompt
from calcgraph.calculators.values import Embeddings, TextInput, Tokens, require_vectors
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import InferRequest, InferResponse, Parameter, Tensor, TensorSpec

TEXT = "input"
IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"
OUTPUT = "embeddings"

INPUTS = (TensorSpec(TEXT, "BYTES", (-1,)),)


def read(request: InferRequest) -> tuple[TextInput, KServeAnswer]:
    """Check one request. Raises RequestError naming the tensor or parameter."""
    for name in request.outputs:
        if name != OUTPUT:
            _refuse(name, f"unexpected inference output '{name}', this model has '{OUTPUT}'")
    tensors = {tensor.name: tensor for tensor in request.inputs}
    length, prompt = read_length(request.parameters), read_prompt(request.parameters)
    answer = KServeAnswer(integer(request.parameters, "dimensions"))
    match sorted(tensors):
        case [only] if only == TEXT:
            return TextInput(_texts(tensors[TEXT]), None, length, prompt), answer
        case names if IDS in names and set(names) <= {IDS, MASK, TYPES}:
            return TextInput(None, _sequences(tensors), length, prompt), answer
        case names:
            _refuse(
                names[0] if names else TEXT,
                f"expected the input '{TEXT}' (BYTES [N]), or '{IDS}' with optional '{MASK}' and "
                f"'{TYPES}' (INT64 [N, L]); found {', '.join(map(repr, names)) or 'no input'}",
            )


def _texts(tensor: Tensor) -> list[str]:
    if tensor.datatype != "BYTES":
        _refuse(TEXT, f"input '{TEXT}' must be BYTES, found {tensor.datatype}")
    if not (len(tensor.shape) <= 1 or (len(tensor.shape) == 2 and tensor.shape[1] == 1)):
        _refuse(TEXT, f"input '{TEXT}' must have shape [N] or [N, 1], found {list(tensor.shape)}")
    texts = []
    for i, element in enumerate(tensor.data.reshape(-1)):
        try:
            texts.append(element.decode())
        except UnicodeDecodeError as error:
            _refuse(
                TEXT,
                f"input '{TEXT}': element {i} is not UTF-8 ({error.reason} at byte {error.start})",
            )
    return texts


def _sequences(tensors: Mapping[str, Tensor]) -> list[NDArray[np.int64]]:
    shape = tensors[IDS].shape
    for name, tensor in tensors.items():
        if tensor.datatype not in ("INT64", "INT32"):
            _refuse(name, f"input '{name}' must be INT64 or INT32, found {tensor.datatype}")
        if len(tensor.shape) != 2 or tensor.shape != shape:
            _refuse(
                name,
                f"input '{name}' must have the shape [N, L] of '{IDS}', found {list(tensor.shape)}",
            )
    if (
        shape[0] and not shape[1]
    ):  # before a list is made: no tokens may stand in any number of rows
        _refuse(IDS, f"input '{IDS}' has rows without tokens: its shape is {list(shape)}")
    if TYPES in tensors and tensors[TYPES].data.any():
        _refuse(TYPES, f"input '{TYPES}' must be all 0: an embedding has one segment")
    ids = tensors[IDS].data.astype(np.int64)
    mask = tensors[MASK].data if MASK in tensors else np.ones(shape, np.int64)
    if not np.isin(mask, (0, 1)).all():
        _refuse(MASK, f"input '{MASK}' must hold 0 and 1 only")
    sequences = [row[keep] for row, keep in zip(ids, mask.astype(bool), strict=True)]
    for i, sequence in enumerate(sequences):
        if not len(sequence):
            _refuse(IDS, f"row {i} has no token: its '{MASK}' is all 0")
    return sequences


def _refuse(param: str, message: str) -> NoReturn:
    raise RequestError(message, param=param)


@dataclass(frozen=True, slots=True)
class KServeAnswer:
    """How to answer one Open Inference Protocol request."""

    dimensions: int | None = None

    def write(
        self, embeddings: Embeddings | None, tokens: Tokens, fingerprint: str
    ) -> InferResponse:
        vectors = require_vectors(embeddings, "serializer")
        assert embeddings is not None
        if self.dimensions is not None:
            vectors = shorten(vectors, self.dimensions, normalized=embeddings.normalized)
        parameters: dict[str, Parameter] = {"prompt_tokens": tokens.count}
        if fingerprint:
            parameters["system_fingerprint"] = fingerprint
        if tokens.too_long:
            # A parameter is no list: these are the indices, with commas between.
            for name, entries in report(tokens.too_long).items():
                parameters[name] = ",".join(str(entry["index"]) for entry in entries)
        return InferResponse([Tensor(OUTPUT, "FP32", vectors)], parameters)
