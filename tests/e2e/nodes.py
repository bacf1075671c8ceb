"""Calculators of tests: one takes as long as a test wants, one adds up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import optional
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest, HttpResponse, TensorSpec
from calcgraph.runtime.plan import GraphPlan, NodePlan


class Slow(Calculator):
    """Loads once the file `load_until` exists, answers once `answer_until` does."""

    inputs = {"REQUEST": HttpRequest}
    outputs = {"RESPONSE": HttpResponse}

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> Any:
        options: Any = node.options
        if "load_until" in options:
            wait_for(options["load_until"])

    def process(self, cc: CalculatorContext) -> None:
        options: Any = cc.options
        if "answer_until" in options:
            Path(options["answer_until"] + ".asked").touch()
            wait_for(options["answer_until"])
        cc.outputs["RESPONSE"].add(HttpResponse(b'{"slow": true}'))


def wait_for(file: str) -> None:
    while not Path(file).exists():
        time.sleep(0.01)


class Total(Calculator):
    """Adds up the numbers of its run, from the side packet `start` on."""

    inputs = {"": np.ndarray}
    outputs = {"": np.ndarray}
    input_side_packets = {"START": optional(int)}
    light = True

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        names = [port.name for port in (*node.inputs, *node.outputs)]
        return {"stream_specs": {name: TensorSpec(name, "FP32", (-1,)) for name in names}}

    def open(self, cc: CalculatorContext) -> None:
        given = cc.input_side_packets
        self.total = float(given["START"].value) if "START" in given else 0.0

    def process(self, cc: CalculatorContext) -> None:
        value = cc.inputs[0].value
        if (value < 0).any():
            raise RequestError("numbers are not negative", param="in")
        self.total += float(value.sum())
        cc.outputs[0].add(np.array([self.total], np.float32))


class Never(Calculator):
    """Never answers."""

    inputs = {"": np.ndarray}
    outputs = {"": np.ndarray}

    async def process(self, cc: CalculatorContext) -> None:
        await asyncio.Event().wait()
