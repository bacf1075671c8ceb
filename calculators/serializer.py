"""The way out: vectors become the answer that the caller's protocol asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calcgraph.calculators import kserve_dialect
from calcgraph.calculators.values import Answer, Embeddings, Tokens
from calcgraph.proto.calculators_pb2 import SerializerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.payload import HttpResponse, InferResponse, TensorSpec
from calcgraph.runtime.plan import NodePlan


class Serializer(Calculator):
    """Writes the response, in the dialect that HttpInput found the request to be in."""

    inputs = {"EMBEDDINGS": Embeddings, "TOKENS": Tokens, "ANSWER": object}
    outputs = {"RESPONSE": HttpResponse | InferResponse}
    options = SerializerOptions
    light = True

    def process(self, cc: CalculatorContext) -> None:
        answer: Answer = cc.inputs["ANSWER"].value
        tokens: Tokens = cc.inputs["TOKENS"].value
        cc.outputs["RESPONSE"].add(answer.write(cc.inputs["EMBEDDINGS"].value, tokens.count))

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        dimensions = upstream.get("dimensions", -1)
        return {"outputs": (TensorSpec(kserve_dialect.OUTPUT, "FP32", (-1, dimensions)),)}
