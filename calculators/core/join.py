"""Packets of one time, seen together: all or nothing, as a pair, whether there is one, or a default."""

from __future__ import annotations

from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, same_as


class PacketInnerJoinCalculator(CoreCalculator):
    """Passes packets on at the times at which every input has one."""

    inputs = {":*": Any}
    outputs = {":*": same_as(":*")}

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(
            len(contract.inputs) == len(contract.outputs),
            "The number of input and output streams must match.",
        )

    def process(self, cc: CalculatorContext) -> None:
        packets = cc.inputs.values()
        if all(packets):
            for output, packet in zip(cc.outputs.values(), packets, strict=True):
                output.add_packet(packet)


class MakePairCalculator(CoreCalculator):
    """A tuple of the two input packets at each time; one of them may be empty."""

    inputs = {"": Any, ":1": Any}
    outputs = {"": tuple}

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs[0].add((cc.inputs[0], cc.inputs[1]))


class PacketPresenceCalculator(CoreCalculator):
    """PRESENCE is True where PACKET has a packet, False where it settles without one."""

    inputs = {"PACKET": Any}
    outputs = {"PRESENCE": bool}
    process_timestamp_bounds = True

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs["PRESENCE"].add(not cc.inputs["PACKET"].is_empty())


class ValueOrDefaultCalculator(CoreCalculator):
    """At each TICK: OUT is IN, or the side packet where IN has nothing, which FLAG then tells."""

    inputs = {"IN": Any, "TICK": Any}
    input_side_packets = {"": Any}
    outputs = {"OUT": same_as("IN"), "FLAG": bool}

    def open(self, cc: CalculatorContext) -> None:
        self.default = cc.input_side_packets[0]
        if cc.inputs.header("IN"):
            cc.outputs["OUT"].set_header(cc.inputs.header("IN"))

    def process(self, cc: CalculatorContext) -> None:
        if not cc.inputs["TICK"]:
            return
        if cc.inputs["IN"]:
            cc.outputs["OUT"].add_packet(cc.inputs["IN"])
        else:
            cc.outputs["OUT"].add_packet(self.default.at(cc.timestamp))
            cc.outputs["FLAG"].add(True)
