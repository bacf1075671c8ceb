"""A calculator that takes as long as a test wants."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.payload import HttpRequest, HttpResponse
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
