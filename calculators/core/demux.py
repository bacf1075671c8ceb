"""From one stream to several: each packet goes to one of the outputs."""

from __future__ import annotations

from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional, same_as


class DemuxCalculator(CoreCalculator):
    """INPUT goes to the OUTPUT whose number SELECT gives, as a stream or a side packet.

    The other outputs learn that nothing comes at that time. MediaPipe has it in its tests only
    (DemuxTimedCalculator of calculator_graph_test.cc).
    """

    inputs = {"INPUT": Any, "SELECT": optional(int)}
    input_side_packets = {"SELECT": optional(int)}
    outputs = {"OUTPUT": same_as("INPUT"), "OUTPUT:*": same_as("INPUT")}

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(
            ("SELECT" in contract.inputs) != ("SELECT" in contract.input_side_packets),
            "SELECT is either an input stream or an input side packet",
        )

    def open(self, cc: CalculatorContext) -> None:
        self.count = cc.outputs.count("OUTPUT")
        self.by_stream = "SELECT" in cc.inputs

    def process(self, cc: CalculatorContext) -> None:
        packet = cc.inputs["INPUT"]
        if not packet:
            return
        selection = cc.inputs["SELECT"] if self.by_stream else cc.input_side_packets["SELECT"]
        require(selection, f"INPUT at {cc.timestamp} has no SELECT at that time")
        select = selection.value
        require(0 <= select < self.count, f"SELECT is {select}, expected 0 to {self.count - 1}")
        cc.outputs["OUTPUT", select].add_packet(packet)


class RoundRobinDemuxCalculator(CoreCalculator):
    """Packets go to OUTPUT:0, OUTPUT:1, ... in turn; SELECT tells which, for a MuxCalculator."""

    inputs = {"": Any}
    outputs = {"OUTPUT": same_as(""), "OUTPUT:*": same_as(""), "SELECT": optional(int)}
    timestamp_offset = None

    def open(self, cc: CalculatorContext) -> None:
        self.count = cc.outputs.count("OUTPUT")
        self.turn = 0

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs["OUTPUT", self.turn].add_packet(cc.inputs[0])
        if "SELECT" in cc.outputs:
            cc.outputs["SELECT"].add(self.turn)
        self.turn = (self.turn + 1) % self.count
