"""PacketSequencerCalculator: packets that come at odd times, moved between the ticks of another stream."""

from __future__ import annotations

from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, same_as
from calcgraph.runtime.timestamp import MIN, next_allowed


class PacketSequencerCalculator(CoreCalculator):
    """Sends each INPUT to the OUTPUT of the same index, right after the latest TICK.

    Every TICK settles the OUTPUTs at its time, so that who reads ticks never waits for an INPUT. An
    INPUT that comes with a TICK takes the time before it, and so holds for this tick already.
    """

    inputs = {"INPUT:*": Any, "TICK:*": Any}
    outputs = {"OUTPUT:*": same_as("INPUT:*")}
    timestamp_offset = None
    input_stream_handler = "ImmediateInputStreamHandler"

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(
            contract.inputs.count("INPUT") == contract.outputs.count("OUTPUT"),
            "there must be as many INPUTs as OUTPUTs",
        )

    def open(self, cc: CalculatorContext) -> None:
        self.inputs_ = range(cc.inputs.count("INPUT"))
        self.ticks = range(cc.inputs.count("TICK"))

    def process(self, cc: CalculatorContext) -> None:
        for index in self.inputs_:
            output = cc.outputs["OUTPUT", index]
            packet = cc.inputs["INPUT", index]
            if packet:
                output.add_packet(packet.at(max(MIN, output.next_timestamp_bound)))
        now = cc.timestamp
        # An input stream without a packet shows the time up to which it is settled.
        ticked = any(cc.inputs["TICK", index].timestamp == now for index in self.ticks)
        settled = max(MIN, now) if ticked else MIN
        for index in self.inputs_:
            output = cc.outputs["OUTPUT", index]
            if settled >= output.next_timestamp_bound:
                output.set_next_timestamp_bound(next_allowed(settled))
