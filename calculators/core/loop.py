"""Loops: a part of the graph that runs once for each item of a collection.

Between Begin and End the packets have times of the loop's own, 0, 1, 2, ...; BATCH_END goes along with
the last item of a collection and holds the time at which the collection came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional, same_as
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import Timestamp, next_allowed


class _Begin(CoreCalculator):
    """Numbers the items that pass, and repeats the CLONE inputs with each of them."""

    timestamp_offset = None
    process_timestamp_bounds = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(
            contract.inputs.count("CLONE") == contract.outputs.count("CLONE"),
            "Number of CLONE inputs and outputs must match",
        )

    def open(self, cc: CalculatorContext) -> None:
        self.next = 0
        self.clones = range(cc.inputs.count("CLONE"))

    def send(self, cc: CalculatorContext, items: Iterable[Packet]) -> None:
        """One pass of the loop for each item, and the end of the batch; also of an empty batch."""
        before = self.next
        for item in items:
            cc.outputs["ITEM"].add_packet(item.at(self.next))
            for index in self.clones:
                clone = cc.inputs["CLONE", index]
                if clone:
                    cc.outputs["CLONE", index].add_packet(clone.at(self.next))
            self.next += 1
        if self.next == before:
            self.next += 1
            for output in cc.outputs.values():
                output.set_next_timestamp_bound(self.next)
        cc.outputs["BATCH_END"].add(cc.timestamp, self.next - 1)


class BeginLoopCalculator(_Begin):
    """ITEM is each item of ITERABLE in turn. TICK, once needed, wakes it up and is otherwise ignored."""

    inputs = {
        "ITERABLE": list | tuple | np.ndarray,
        "CLONE:*": Any,
        "TICK": optional(Any),
    }
    outputs = {"ITEM": Any, "CLONE:*": same_as("CLONE:*"), "BATCH_END": Timestamp}

    def process(self, cc: CalculatorContext) -> None:
        iterable = cc.inputs["ITERABLE"]
        self.send(cc, map(Packet, iterable.value) if iterable else ())


class BeginItemLoopCalculator(_Begin):
    """ITEM is the packet of each ITEM input in turn; at one time all of them have one, or none."""

    inputs = {"ITEM": Any, "ITEM:*": Any, "CLONE:*": Any}
    outputs = {"ITEM": same_as("ITEM"), "CLONE:*": same_as("CLONE:*"), "BATCH_END": Timestamp}

    def process(self, cc: CalculatorContext) -> None:
        items = [cc.inputs["ITEM", index] for index in range(cc.inputs.count("ITEM"))]
        require(
            all(items) or not any(items),
            "Cannot mix non-empty input ITEMs with empty input ITEMs",
        )
        self.send(cc, items if all(items) else ())


class EndLoopCalculator(CoreCalculator):
    """Collects ITEM into the list ITERABLE, which goes out at the time that BATCH_END holds."""

    inputs = {"ITEM": Any, "BATCH_END": Timestamp}
    outputs = {"ITERABLE": list}
    timestamp_offset = None

    def open(self, cc: CalculatorContext) -> None:
        self.items: list[Any] = []

    def process(self, cc: CalculatorContext) -> None:
        if cc.inputs["ITEM"]:
            self.items.append(cc.inputs["ITEM"].value)
        if not cc.inputs["BATCH_END"]:
            return
        time = cc.inputs["BATCH_END"].value
        if self.items:
            cc.outputs["ITERABLE"].add(self.items, time)
            self.items = []
        else:
            cc.outputs["ITERABLE"].set_next_timestamp_bound(next_allowed(time))


class EndItemLoopCalculator(CoreCalculator):
    """Collects ITEM, and sends the first to ITEM:0, the second to ITEM:1 and so on at BATCH_END's time."""

    inputs = {"ITEM": Any, "BATCH_END": Timestamp}
    outputs = {"ITEM": same_as("ITEM"), "ITEM:*": same_as("ITEM:0")}
    timestamp_offset = None

    def open(self, cc: CalculatorContext) -> None:
        self.items: list[Packet] = []

    def process(self, cc: CalculatorContext) -> None:
        if cc.inputs["ITEM"]:
            self.items.append(cc.inputs["ITEM"])
        if not cc.inputs["BATCH_END"]:
            return
        time = cc.inputs["BATCH_END"].value
        items, self.items = self.items, []
        outputs = cc.outputs.values()
        require(
            len(items) in (0, len(outputs)),
            f"Number of input items must match number of outputs: found {len(items)} items, "
            f"expected {len(outputs)}",
        )
        for index, output in enumerate(outputs):
            if items:
                output.add_packet(items[index].at(time))
            else:
                output.set_next_timestamp_bound(next_allowed(time))
