"""A calculator that answers with the word it was loaded with."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.payload import HttpRequest, HttpResponse
from calcgraph.runtime.plan import GraphPlan, NodePlan


class Word(Calculator):
    """Loads unless its word is "broken"; counts what is in memory. A request may wait for `release`."""

    inputs = {"REQUEST": HttpRequest}
    outputs = {"RESPONSE": HttpResponse}
    in_memory: ClassVar[list[str]] = []
    loads: ClassVar[list[str]] = []
    asked: ClassVar[asyncio.Event]
    release: ClassVar[asyncio.Event]

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> str:
        options: Any = node.options
        word = str(options["word"])
        cls.loads.append(word)
        if word == "broken":
            raise ValueError("the word is broken")
        cls.in_memory.append(word)
        return word

    @classmethod
    def unload(cls, resource: str) -> None:
        cls.in_memory.remove(resource)

    async def process(self, cc: CalculatorContext) -> None:
        if cc.inputs["REQUEST"].value.body.get("wait"):
            self.asked.set()
            await self.release.wait()
        word: Any = cc.resource
        assert word in self.in_memory, "unloaded while a request runs"
        cc.outputs["RESPONSE"].add(HttpResponse(word.encode()))
