"""The way in: a front end's request becomes texts (or token ids) and the way to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calcgraph.calculators import kserve_dialect, openai_dialect
from calcgraph.calculators.values import TextInput
from calcgraph.proto.calculators_pb2 import HttpInputOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.payload import HttpRequest, InferRequest
from calcgraph.runtime.plan import NodePlan


class HttpInput(Calculator):
    """Reads an OpenAI `embeddings` call or an Open Inference Protocol call. Bad ones: RequestError."""

    inputs = {"REQUEST": HttpRequest | InferRequest}
    outputs = {"INPUT": TextInput, "ANSWER": object}
    options = HttpInputOptions
    light = True

    def open(self, cc: CalculatorContext) -> None:
        self.max_texts = cc.options.max_texts

    def process(self, cc: CalculatorContext) -> None:
        request = cc.inputs["REQUEST"].value
        value: TextInput
        answer: object
        if isinstance(request, HttpRequest):
            value, answer = openai_dialect.read(request.body, self.max_texts)
        else:
            value, answer = kserve_dialect.read(request)
        cc.outputs["INPUT"].add(value)
        cc.outputs["ANSWER"].add(answer)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {"inputs": kserve_dialect.INPUTS}
