"""Calculators whose answers one can tell by head."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import orjson

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import optional
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
    if "tell" in request.parameters:
        return InferResponse((), {"told": request.headers.get(str(request.parameters["tell"]), "")})
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

    @classmethod
    def forget(cls) -> None:
        """Start to count anew; requests that are still there are counted by nobody."""
        cls.asked, cls.cancelled = threading.Semaphore(0), threading.Semaphore(0)

    async def process(self, cc: CalculatorContext) -> None:
        cancelled = self.cancelled
        self.asked.release()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.release()


class RunningSum(Calculator):
    """Adds up what comes in, from the side packet `start` on. Knows how many of it are open."""

    inputs = {"": np.ndarray}
    outputs = {"": np.ndarray}
    input_side_packets = {"START": optional(int)}
    light = True
    open_ones: ClassVar[int] = 0

    def open(self, cc: CalculatorContext) -> None:
        given = cc.input_side_packets
        self.sum = given["START"].value if "START" in given else 0
        type(self).open_ones += 1

    def process(self, cc: CalculatorContext) -> None:
        value = cc.inputs[0].value
        if (value == 13).any():
            raise ValueError("a secret of the calculator")
        if (value == 14).any():
            raise RequestError("14 is refused", param="in")
        self.sum = self.sum + value
        cc.outputs[0].add(self.sum)

    def close(self, cc: CalculatorContext) -> None:
        type(self).open_ones -= 1


class Needs(Calculator):
    """Does not do without its side packet."""

    inputs = {"": np.ndarray}
    input_side_packets = {"START": int}

    def process(self, cc: CalculatorContext) -> None:
        """Nothing."""


class Pair(Calculator):
    """The sum and the product of two numbers."""

    inputs = {"A": np.ndarray, "B": np.ndarray}
    outputs = {"SUM": np.ndarray, "PRODUCT": np.ndarray}
    light = True
    stateless = True

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        names = [port.name for port in (*node.inputs, *node.outputs)]
        return {"stream_specs": {name: TensorSpec(name, "FP32", (-1,)) for name in names}}

    def process(self, cc: CalculatorContext) -> None:
        a, b = cc.inputs["A"], cc.inputs["B"]
        if not a.is_empty() and not b.is_empty():
            cc.outputs["SUM"].add(a.value + b.value)
            cc.outputs["PRODUCT"].add(a.value * b.value)


class Burst(Calculator):
    """For [n, bytes] n answers of that size, at the times that follow; it cannot be held back."""

    inputs = {"": np.ndarray}
    outputs = {"": np.ndarray}
    timestamp_offset = None
    light = True

    def process(self, cc: CalculatorContext) -> None:
        count, size = cc.inputs[0].value.tolist()
        for i in range(count):
            cc.outputs[0].add(np.zeros(size, np.uint8), int(cc.timestamp) + i)


class Sieve(Calculator):
    """Lets no zeros through."""

    inputs = {"": np.ndarray}
    outputs = {"": np.ndarray}
    light = True

    def process(self, cc: CalculatorContext) -> None:
        if cc.inputs[0].value.any():
            cc.outputs[0].add(cc.inputs[0].value)
