"""The way in: a front end's request becomes a query, documents and the way to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calcgraph.calculators.request_fields import check_fingerprint
from calcgraph.calculators.rerank import cohere_dialect, tensor_dialect
from calcgraph.calculators.rerank.values import RerankAnswer, RerankQuery
from calcgraph.calculators.turn import read_turn
from calcgraph.proto.rerank_pb2 import RerankInputOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.fingerprint import FINGERPRINT
from calcgraph.runtime.payload import HttpRequest, InferRequest
from calcgraph.runtime.plan import NodePlan
from calcgraph.runtime.services import MODEL


class RerankInput(Calculator):
    """Reads a Cohere `rerank` call or an Open Inference Protocol call. Bad ones: RequestError."""

    inputs = {"REQUEST": HttpRequest | InferRequest}
    outputs = {"INPUT": RerankQuery, "ANSWER": object}
    options = RerankInputOptions
    light = True
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        contract.use_service(MODEL).optional()

    def open(self, cc: CalculatorContext) -> None:
        self.max_documents = cc.options.max_documents
        model = cc.service(MODEL)
        self.fingerprint: str = model.fingerprint if model is not None else ""

    def process(self, cc: CalculatorContext) -> None:
        request = cc.inputs["REQUEST"].value
        value: RerankQuery
        answer: RerankAnswer
        check_fingerprint(request, self.fingerprint)
        if isinstance(request, HttpRequest):
            turn = read_turn(request.headers, request.body, request.terms)
            value, answer = cohere_dialect.read(request, self.max_documents)
        else:
            turn = read_turn(request.headers, request.parameters, request.terms)
            value, answer = tensor_dialect.read(request, self.max_documents)
        cc.outputs["INPUT"].add(replace(value, turn=turn))
        cc.outputs["ANSWER"].add(answer)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {"inputs": tensor_dialect.INPUTS, FINGERPRINT: None}
