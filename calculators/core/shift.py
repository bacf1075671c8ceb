"""Packets at other times: those of a neighbouring packet, or a fixed distance away."""

from __future__ import annotations

from collections import deque
from typing import Any

from google.protobuf.struct_pb2 import Struct

from calcgraph.calculators.core.base import CoreCalculator
from calcgraph.proto.core_calculators_pb2 import SequenceShiftCalculatorOptions
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import optional, same_as
from calcgraph.runtime.packet import EMPTY, Packet
from calcgraph.runtime.timestamp import add_offset, is_range


class SequenceShiftCalculator(CoreCalculator):
    """Packet i goes out at the time of packet i + `packet_offset` (or side packet PACKET_OFFSET).

    A negative offset n drops the first -n packets, a positive one the last n; with
    `emit_empty_packets_before_first_packet` readers then learn that nothing comes before.
    """

    inputs = {"": Any}
    outputs = {"": same_as("")}
    input_side_packets = {"PACKET_OFFSET": optional(int)}
    options = SequenceShiftCalculatorOptions
    timestamp_offset = None

    def open(self, cc: CalculatorContext) -> None:
        self.offset = cc.options.packet_offset
        if "PACKET_OFFSET" in cc.input_side_packets:
            self.offset = cc.input_side_packets["PACKET_OFFSET"].value
        if self.offset == 0:
            cc.set_offset(0)
        self.tell_bound = cc.options.emit_empty_packets_before_first_packet
        self.packets: deque[Packet] = deque()
        """Those that wait for the time of a later one, or that a later one will take the time of."""

    def process(self, cc: CalculatorContext) -> None:
        packet = cc.inputs[0]
        self.packets.append(packet)
        if len(self.packets) > abs(self.offset):
            oldest = self.packets.popleft()
            if self.offset > 0:
                cc.outputs[0].add_packet(oldest.at(cc.timestamp))
            else:
                cc.outputs[0].add_packet(packet.at(oldest.timestamp))
        elif self.offset > 0 and self.tell_bound:
            cc.outputs[0].add_packet(EMPTY.at(cc.timestamp))


class TimestampOffsetCalculator(CoreCalculator):
    """Moves each packet by OFFSET microseconds, a side packet, or the option `offset` (Struct).

    Not in MediaPipe's core; its tests have it as TimeShiftCalculator. Bounds move along.
    """

    inputs = {"": Any}
    outputs = {"": same_as("")}
    input_side_packets = {"OFFSET": optional(int)}
    options = Struct
    timestamp_offset = None

    def open(self, cc: CalculatorContext) -> None:
        by_packet = "OFFSET" in cc.input_side_packets
        self.offset = int(
            cc.input_side_packets["OFFSET"].value if by_packet else cc.options["offset"]
        )
        cc.set_offset(self.offset)

    def process(self, cc: CalculatorContext) -> None:
        now = cc.timestamp
        # PreStream and PostStream are before and after all times, moved or not.
        time = add_offset(now, self.offset) if is_range(now) else now
        cc.outputs[0].add_packet(cc.inputs[0].at(time))
