"""CountingSourceCalculator: numbers from nowhere, each at its own time."""

from __future__ import annotations

from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.runtime.calculator import STOP
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional
from calcgraph.runtime.errors import Code, status_error


class CountingSourceCalculator(CoreCalculator):
    """Sends MAX_COUNT batches of BATCH_SIZE numbers, from INITIAL_VALUE in steps of INCREMENT.

    It fails after ERROR_COUNT batches, and at once if ERROR_ON_OPEN. All of these are side packets;
    MAX_COUNT or ERROR_COUNT is needed.
    """

    outputs = {"": int}
    input_side_packets = {
        "ERROR_ON_OPEN": optional(bool),
        "MAX_COUNT": optional(int),
        "ERROR_COUNT": optional(int),
        "BATCH_SIZE": optional(int),
        "INITIAL_VALUE": optional(int),
        "INCREMENT": optional(int),
    }
    timestamp_offset = None

    @classmethod
    def contract(cls, contract: Contract) -> None:
        sides = contract.input_side_packets
        require(
            "MAX_COUNT" in sides or "ERROR_COUNT" in sides, "MAX_COUNT or ERROR_COUNT is needed"
        )

    def open(self, cc: CalculatorContext) -> None:
        def side(tag: str, default: Any) -> Any:
            packets = cc.input_side_packets
            return packets[tag].value if tag in packets else default

        if side("ERROR_ON_OPEN", False):
            raise status_error(Code.NOT_FOUND, "expected error")
        self.max_count: int | None = side("MAX_COUNT", None)
        self.error_count: int | None = side("ERROR_COUNT", None)
        self.batch_size: int = side("BATCH_SIZE", 1)
        self.value: int = side("INITIAL_VALUE", 0)
        self.increment: int = side("INCREMENT", 1)
        self.batches = 0
        for count in (self.max_count, self.error_count):
            require(count is None or count >= 0, f"a count is at least 0, found {count}")
        require(self.max_count is not None or self.error_count is not None, "no count was given")
        require(self.batch_size > 0, f"BATCH_SIZE is at least 1, found {self.batch_size}")
        require(self.increment > 0, f"INCREMENT is at least 1, found {self.increment}")

    def process(self, cc: CalculatorContext) -> Any:
        if self.batches == self.error_count:
            raise status_error(Code.INTERNAL, "expected error")
        if self.batches == self.max_count:
            return STOP
        for _ in range(self.batch_size):
            cc.outputs[0].add(self.value, self.value)
            self.value += self.increment
        self.batches += 1
        return None
