"""From several streams to one: the selected one, the first one, or whichever comes first."""

from __future__ import annotations

from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional, same_as


class MuxCalculator(CoreCalculator):
    """OUTPUT is the packet of the INPUT whose number SELECT gives, as a stream or a side packet.

    With a SELECT stream it waits only for the selected INPUT (MuxInputStreamHandler).
    """

    inputs = {"INPUT:0": Any, "INPUT:*": same_as("INPUT:0"), "SELECT": optional(int)}
    input_side_packets = {"SELECT": optional(int)}
    outputs = {"OUTPUT": same_as("INPUT:0")}

    @classmethod
    def contract(cls, contract: Contract) -> None:
        by_stream = "SELECT" in contract.inputs
        require(
            by_stream != ("SELECT" in contract.input_side_packets),
            "SELECT is either an input stream or an input side packet",
        )
        if by_stream:
            contract.set_input_stream_handler("MuxInputStreamHandler")

    def open(self, cc: CalculatorContext) -> None:
        self.count = cc.inputs.count("INPUT")
        self.by_stream = "SELECT" in cc.inputs

    def process(self, cc: CalculatorContext) -> None:
        selection = cc.inputs["SELECT"] if self.by_stream else cc.input_side_packets["SELECT"]
        select = selection.value
        require(0 <= select < self.count, f"SELECT is {select}, expected 0 to {self.count - 1}")
        packet = cc.inputs["INPUT", select]
        if packet:
            cc.outputs["OUTPUT"].add_packet(packet)


class MergeCalculator(CoreCalculator):
    """At each time, the packet of the first input that has one. The inputs may differ in type."""

    inputs = {":*": Any}
    outputs = {"": Any}

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(len(contract.inputs) > 0, "Needs at least one input stream")
        require(len(contract.outputs) == 1, "a merge has one output stream")

    def process(self, cc: CalculatorContext) -> None:
        for packet in cc.inputs.values():
            if packet:
                cc.outputs[0].add_packet(packet)
                return


class ImmediateMuxCalculator(CoreCalculator):
    """Passes on every packet that is later than all before it; the others are dropped.

    A second output gets `True` for each packet received. Under ImmediateInputStreamHandler the result
    depends on which input is faster.
    """

    inputs = {"": Any, ":*": same_as("")}
    outputs = {"": same_as(""), ":1": optional(bool)}

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(
            1 <= len(contract.outputs) <= 2,
            "This calculator produces only one or two output streams.",
        )

    def process(self, cc: CalculatorContext) -> None:
        for packet in cc.inputs.values():
            if not packet:
                continue
            if packet.timestamp >= cc.outputs[0].next_timestamp_bound:
                cc.outputs[0].add_packet(packet)
            if 1 in cc.outputs:
                finished = cc.outputs[1]
                finished.add(True, max(cc.timestamp, finished.next_timestamp_bound))
