"""The way out: vectors become the answer that the caller's protocol asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calcgraph.calculators import kserve_dialect
from calcgraph.calculators.lengths import merge_windows
from calcgraph.calculators.values import Answer, Embeddings, Tokens, require_vectors
from calcgraph.proto.calculators_pb2 import SerializerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.fingerprint import FINGERPRINT
from calcgraph.runtime.payload import HttpResponse, InferResponse, TensorSpec
from calcgraph.runtime.plan import NodePlan
from calcgraph.runtime.services import MODEL


class Serializer(Calculator):
    """Writes the response, in the dialect that HttpInput found the request to be in.

    Without EMBEDDINGS, tokens were all that was asked for.
    """

    inputs = {"EMBEDDINGS": Embeddings, "TOKENS": Tokens, "ANSWER": object}
    outputs = {"RESPONSE": HttpResponse | InferResponse}
    options = SerializerOptions
    light = True
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        contract.use_service(MODEL).optional()

    def open(self, cc: CalculatorContext) -> None:
        model = cc.service(MODEL)
        self.fingerprint: str = model.fingerprint if model is not None else ""

    def process(self, cc: CalculatorContext) -> None:
        answer: Answer = cc.inputs["ANSWER"].value
        tokens: Tokens = cc.inputs["TOKENS"].value
        embeddings = None if tokens.only else cc.inputs["EMBEDDINGS"].value
        if embeddings is not None and tokens.too_long:
            embeddings = _one_vector_an_input(embeddings, tokens, cc.node_name)
        cc.outputs["RESPONSE"].add(answer.write(embeddings, tokens, self.fingerprint))

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        dimensions = upstream.get("dimensions", -1)
        spec = TensorSpec(kserve_dialect.OUTPUT, "FP32", (-1, dimensions))
        return {"outputs": (spec,), FINGERPRINT: None}


def _one_vector_an_input(embeddings: Embeddings, tokens: Tokens, node: str) -> Embeddings:
    vectors = merge_windows(
        require_vectors(embeddings, node),
        tokens.sequences,
        tokens.too_long,
        embeddings.normalized,
    )
    return replace(embeddings, vectors=vectors)
