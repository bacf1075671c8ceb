"""GateCalculator: lets packets through while it is allowed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, copy_headers, require
from calcgraph.proto.core_calculators_pb2 import GateCalculatorOptions
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional, same_as

_OPENS: Mapping[str, bool] = {"ALLOW": True, "DISALLOW": False}
"""The tag of the control input, and which of its values opens the gate."""

_INITIALLY: Mapping[int, bool] = {
    GateCalculatorOptions.GATE_ALLOW: True,
    GateCalculatorOptions.GATE_DISALLOW: False,
}


class GateCalculator(CoreCalculator):
    """Passes packets while the gate is open.

    Whether it is open says a bool tagged ALLOW or DISALLOW, as a stream or a side packet, or else the
    option `allow`. A time at which the control stream has no packet counts as closed, or as open with
    `empty_packets_as_allow`. STATE_CHANGE tells each change, from the second state on.
    """

    inputs = {":*": Any}
    outputs = {":*": same_as(":*"), "STATE_CHANGE": optional(bool)}
    options = GateCalculatorOptions

    @classmethod
    def contract(cls, contract: Contract) -> None:
        streams = [tag for tag in _OPENS if tag in contract.inputs]
        sides = [tag for tag in _OPENS if tag in contract.input_side_packets]
        require(
            len(streams) + len(sides) <= 1,
            "a gate has one control, ALLOW or DISALLOW, as a stream or as a side packet; found "
            + " and ".join([*streams, *sides]),
        )
        for tag in streams:
            contract.inputs[tag].set(bool)
        for tag in sides:
            contract.input_side_packets[tag].set(bool).optional()
        require(
            contract.outputs.count() == contract.inputs.count(),
            "Number of data output streams must match with data input streams.",
        )

    def open(self, cc: CalculatorContext) -> None:
        self.data = range(cc.inputs.count())
        self.control = next((tag for tag in _OPENS if tag in cc.inputs), None)
        self.constant, self.for_good = _constant(cc)
        self.empty_packets_as_allow: bool = cc.options.empty_packets_as_allow
        self.was_open = _INITIALLY.get(cc.options.initial_gate_state)
        copy_headers(cc)

    def process(self, cc: CalculatorContext) -> None:
        is_open = self._is_open(cc)
        if "STATE_CHANGE" in cc.outputs and self.was_open not in (None, is_open):
            cc.outputs["STATE_CHANGE"].add(is_open)
        self.was_open = is_open
        if is_open:
            for index in self.data:
                if cc.inputs[index]:
                    cc.outputs[index].add_packet(cc.inputs[index])
        elif self.for_good:
            # Readers downstream then need not wait for packets that will never come.
            for index in self.data:
                cc.outputs[index].close()

    def _is_open(self, cc: CalculatorContext) -> bool:
        if self.control is None:
            return self.constant
        packet = cc.inputs[self.control]
        if not packet:
            return self.empty_packets_as_allow
        return bool(packet.value == _OPENS[self.control])


def _constant(cc: CalculatorContext) -> tuple[bool, bool]:
    """What the side packet or the option says, and whether a side packet said so."""
    for tag, opens in _OPENS.items():
        if tag in cc.input_side_packets:
            return cc.input_side_packets[tag].value == opens, True
    return cc.options.allow, False
