"""From side packet to stream and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.runtime.calculator import STOP
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import POST_STREAM, PRE_STREAM, UNSET, Timestamp

_TIMES: Mapping[str, int | None] = {
    "AT_PRESTREAM": PRE_STREAM,
    "AT_POSTSTREAM": POST_STREAM,
    "AT_ZERO": 0,
    "AT_TICK": None,
    "AT_TIMESTAMP": None,
}
"""The output tag says when the packet goes out; None: another input knows."""


class SidePacketToStreamCalculator(CoreCalculator):
    """Sends side packet i to output i, at the time that the outputs' one tag says.

    AT_TICK sends it at every packet of the stream TICK; AT_TIMESTAMP at the time (microseconds) that
    the side packet TIMESTAMP holds. The others send it once, and end the stream.
    """

    @classmethod
    def contract(cls, contract: Contract) -> None:
        tags = contract.outputs.tags()
        require(
            len(tags) == 1 and tags[0] in _TIMES,
            f"Only one of {', '.join(_TIMES)} is allowed and required to specify output stream(s), "
            f"found {' and '.join(tags) or 'none'}",
        )
        tag = tags[0]
        require(
            (tag == "AT_TICK") == ("TICK" in contract.inputs),
            "Either both of TICK and AT_TICK should be used or none of them.",
        )
        sides = contract.input_side_packets
        timed = tag == "AT_TIMESTAMP"
        require(
            timed == ("TIMESTAMP" in sides),
            "Either both TIMESTAMP and AT_TIMESTAMP should be used or none of them.",
        )
        count = contract.outputs.count(tag)
        require(
            len(sides) == count + timed,
            f"Same number of input side packets and output streams is required: found {len(sides)}, "
            f"expected {count + timed}",
        )
        if timed:
            sides["TIMESTAMP"].set(int)
        else:
            contract.set_timestamp_offset(0 if tag == "AT_TICK" else None)
        for index in range(count):
            sides[index].set_any()
            contract.outputs[tag, index].set_any()
        if "TICK" in contract.inputs:
            contract.inputs["TICK"].set_any()

    def open(self, cc: CalculatorContext) -> None:
        self.tag = cc.outputs.tags()[0]

    def process(self, cc: CalculatorContext) -> Any:
        if self.tag != "AT_TICK":
            return STOP
        self._send(cc, cc.timestamp)
        return None

    def close(self, cc: CalculatorContext) -> None:
        time = _TIMES[self.tag]
        if self.tag == "AT_TIMESTAMP":
            time = Timestamp(cc.input_side_packets["TIMESTAMP"].value)
        if time is not None:
            self._send(cc, time)

    def _send(self, cc: CalculatorContext, time: int) -> None:
        for index, output in enumerate(cc.outputs.values()):
            output.add_packet(cc.input_side_packets[index].at(time))


class StreamToSidePacketCalculator(CoreCalculator):
    """Turns the one packet of a stream into a side packet; a second one is an error."""

    inputs = {"": Any}
    output_side_packets = {"": Any}

    def process(self, cc: CalculatorContext) -> None:
        cc.output_side_packets[0].set(Packet(cc.inputs[0].value, UNSET))
