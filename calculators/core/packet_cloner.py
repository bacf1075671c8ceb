"""PacketClonerCalculator: the latest packet of each input, again at every tick."""

from __future__ import annotations

from calcgraph.calculators.core.base import CoreCalculator, copy_headers
from calcgraph.proto.core_calculators_pb2 import PacketClonerCalculatorOptions
from calcgraph.runtime.context import CalculatorContext, Ports
from calcgraph.runtime.contract import Contract, PortSpecs
from calcgraph.runtime.packet import EMPTY, Packet

PortKey = tuple[str, int]


class PacketClonerCalculator(CoreCalculator):
    """Repeats the latest packet of every input at each packet of TICK (or of the last untagged input).

    Until all inputs had a packet, those that had are repeated alone; not with
    `output_only_when_all_inputs_received`, nor with `output_packets_only_when_all_inputs_received`,
    which tells readers that nothing comes.
    """

    options = PacketClonerCalculatorOptions
    timestamp_offset = None

    @classmethod
    def contract(cls, contract: Contract) -> None:
        tick = _tick_key(contract.inputs)
        contract.inputs[tick].set_any()
        for key in contract.inputs:
            if key != tick:
                contract.outputs[key].set_same_as(contract.inputs[key].set_any())

    def open(self, cc: CalculatorContext) -> None:
        options = cc.options
        self.tell_bound = options.output_packets_only_when_all_inputs_received
        self.wait_for_all = self.tell_bound or options.output_only_when_all_inputs_received
        self.tick = _tick_key(cc.inputs)
        self.latest: dict[PortKey, Packet] = {key: EMPTY for key in cc.inputs if key != self.tick}
        copy_headers(cc)

    def process(self, cc: CalculatorContext) -> None:
        for key in self.latest:
            if cc.inputs[key]:
                self.latest[key] = cc.inputs[key]
        if not cc.inputs[self.tick]:
            return
        now = cc.timestamp
        waiting = self.wait_for_all and not all(self.latest.values())
        if waiting and not self.tell_bound:
            return
        for key, packet in self.latest.items():
            cc.outputs[key].add_packet(EMPTY.at(now) if waiting else packet.at(now))


def _tick_key(inputs: PortSpecs | Ports[Packet]) -> PortKey:
    return ("TICK", 0) if "TICK" in inputs else ("", inputs.count() - 1)
