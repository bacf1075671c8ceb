"""GateCalculator: lets packets through while it is allowed to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, copy_headers, require
from calcgraph.proto.core_calculators_pb2 import GateCalculatorOptions
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional, same_as

_OPENS = {"ALLOW": True, "DISALLOW": False}
"""The tag of the control input, and which of its values opens the gate."""

_INITIALLY = {
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
        require(contract.inputs.count() >= 1, "a gate has at least one data stream")
        require(
            contract.outputs.count() == contract.inputs.count(),
            "Number of data output streams must match with data input streams.",
        )

    def open(self, cc: CalculatorContext) -> None:
        self.data = range(cc.inputs.count())
        self.empty_packets_as_allow = cc.options.empty_packets_as_allow
        self.was_open = _INITIALLY.get(cc.options.initial_gate_state)
        self.is_open, self.for_good = self._control(cc)
        copy_headers(cc)

    def _control(self, cc: CalculatorContext) -> tuple[Callable[[CalculatorContext], bool], bool]:
        """How to tell whether the gate is open, and whether a closed one stays closed."""
        for tag, opens in _OPENS.items():
            if tag in cc.inputs:
                return lambda cc: self._by_packet(cc, tag, opens), False
            if tag in cc.input_side_packets:
                constant = cc.input_side_packets[tag].value == opens
                return lambda cc: constant, True
        allow = cc.options.allow
        return lambda cc: allow, False

    def _by_packet(self, cc: CalculatorContext, tag: str, opens: bool) -> bool:
        packet = cc.inputs[tag]
        return packet.value == opens if packet else self.empty_packets_as_allow

    def process(self, cc: CalculatorContext) -> None:
        is_open = self.is_open(cc)
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
