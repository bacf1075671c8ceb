"""PassThroughCalculator: what comes in goes out unchanged."""

from __future__ import annotations

from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, copy_headers
from calcgraph.runtime.calculator import STOP
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, PortSpecs
from calcgraph.runtime.errors import Code, status_error


class PassThroughCalculator(CoreCalculator):
    """Passes every packet, header and side packet on to the output of the same tag and index."""

    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        _same_ports("streams", contract.inputs, contract.outputs)
        if len(contract.output_side_packets):
            _same_ports("side packets", contract.input_side_packets, contract.output_side_packets)
        for spec in contract.input_side_packets.connected:
            spec.set_any()

    def open(self, cc: CalculatorContext) -> None:
        self.keys = list(cc.inputs)
        self.counter = cc.counter("PassThrough")
        copy_headers(cc)
        for key in cc.output_side_packets:
            cc.output_side_packets[key].set(cc.input_side_packets[key])

    def process(self, cc: CalculatorContext) -> Any:
        self.counter.increment()
        inputs, outputs = cc.inputs, cc.outputs
        for key in self.keys:
            packet = inputs[key]
            if packet:
                outputs[key].add_packet(packet)
        return None if self.keys else STOP


def _same_ports(what: str, inputs: PortSpecs, outputs: PortSpecs) -> None:
    if set(inputs) != set(outputs):
        raise status_error(
            Code.INVALID_ARGUMENT,
            f"Input and output {what} to PassThroughCalculator must use matching tags and indexes.",
        )
    for spec in inputs.connected:
        outputs[spec.tag, spec.index].set_same_as(spec.set_any())
