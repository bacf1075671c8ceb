"""Calculators whose answers one can tell by head."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import orjson

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.payload import (
    HttpRequest,
    HttpResponse,
    InferRequest,
    InferResponse,
    Tensor,
    TensorSpec,
)
from calcgraph.runtime.plan import NodePlan

REFUSALS = {
    "refuse": RequestError("'input' is odd", param="input", reason="too_odd"),
    "overload": RequestError("too much at once", code=Code.RESOURCE_EXHAUSTED),
}


class EchoRequest(Calculator):
    """Answers with the request. The input "fail" breaks it; "refuse" and "overload" are refused."""

    inputs = {"REQUEST": HttpRequest | InferRequest}
    outputs = {"RESPONSE": HttpResponse | InferResponse}
    light = True
    stateless = True

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        specs = (TensorSpec("x", "FP32", (-1, 2)), TensorSpec("y", "BYTES", (-1,)))
        return {"inputs": specs, "outputs": specs, "dimensions": 2}

    def process(self, cc: CalculatorContext) -> None:
        request = cc.inputs["REQUEST"].value
        answer = infer if isinstance(request, InferRequest) else http
        cc.outputs["RESPONSE"].add(answer(request))


def http(request: HttpRequest) -> HttpResponse:
    text = request.body.get("input")
    if text == "fail":
        raise ValueError("a secret of the calculator")
    if isinstance(text, str) and text in REFUSALS:
        raise REFUSALS[text]
    return HttpResponse(orjson.dumps({"path": request.path, "body": request.body}))


def infer(request: InferRequest) -> InferResponse:
    if "nan" in request.parameters:
        return InferResponse([Tensor("x", "FP32", np.array([np.nan], np.float32))])
    if "fail" in request.parameters:
        raise ValueError("a secret of the calculator")
    return InferResponse(request.inputs, request.parameters)


class Moody(EchoRequest):
    """Is ready when told so, and measures two numbers."""

    well: ClassVar[bool] = True

    @classmethod
    def ready(cls, resource: Any) -> bool:
        return cls.well

    @classmethod
    def measurements(cls, resource: Any) -> Iterator[Measurement]:
        yield Measurement("mood", 0.5, "How it feels.")
        yield Measurement("tears", 3, "Tears shed.", total=True, labels={"eye": "left"})
        yield Measurement("tears", 4, "Tears shed.", total=True, labels={"eye": "right"})

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs["RESPONSE"].add(HttpResponse(b"{}"))


class WaitForever(EchoRequest):
    """Never answers; says when it was asked and when it was cancelled."""

    light = False
    asked: ClassVar[threading.Semaphore] = threading.Semaphore(0)
    cancelled: ClassVar[threading.Semaphore] = threading.Semaphore(0)

    async def process(self, cc: CalculatorContext) -> None:
        self.asked.release()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.release()
