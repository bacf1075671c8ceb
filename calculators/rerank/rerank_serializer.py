"""The way out: scores become the answer that the caller's protocol asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calcgraph.calculators.rerank import tensor_dialect
from calcgraph.calculators.rerank.values import Pairs, RerankAnswer
from calcgraph.proto.rerank_pb2 import RerankSerializerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.fingerprint import FINGERPRINT
from calcgraph.runtime.payload import HttpResponse, InferResponse
from calcgraph.runtime.plan import NodePlan
from calcgraph.runtime.services import MODEL


class RerankSerializer(Calculator):
    """Writes the ranking, in the dialect that RerankInput found the request to be in."""

    inputs = {"SCORES": np.ndarray, "PAIRS": Pairs, "ANSWER": object}
    outputs = {"RESPONSE": HttpResponse | InferResponse}
    options = RerankSerializerOptions
    light = True
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        contract.use_service(MODEL).optional()

    def open(self, cc: CalculatorContext) -> None:
        model = cc.service(MODEL)
        self.fingerprint: str = model.fingerprint if model is not None else ""

    def process(self, cc: CalculatorContext) -> None:
        answer: RerankAnswer = cc.inputs["ANSWER"].value
        scores, pairs = cc.inputs["SCORES"].value, cc.inputs["PAIRS"].value
        cc.outputs["RESPONSE"].add(answer.write(scores, pairs, self.fingerprint))

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {"outputs": tensor_dialect.OUTPUTS, FINGERPRINT: None}
