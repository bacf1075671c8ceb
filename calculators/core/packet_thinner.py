"""PacketThinnerCalculator: at most one packet a period."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, merged_options
from calcgraph.calculators.core.video_header import VideoHeader
from calcgraph.proto.core_calculators_pb2 import PacketThinnerCalculatorOptions as Options
from calcgraph.proto.options_pb2 import CalculatorOptions
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import optional, same_as
from calcgraph.runtime.packet import EMPTY, Packet
from calcgraph.runtime.timestamp import MAX, MIN, add_offset

_SECOND = 1_000_000


class PacketThinnerCalculator(CoreCalculator):
    """Thins a stream to one packet a `period` (microseconds), between `start_time` and `end_time`.

    ASYNC: after a packet, those of the next `period` are dropped. SYNC: of each period centred on
    start_time + i * period the packet nearest to the centre is sent, the later of two; at the centre's
    time, or at its own unless `sync_output_timestamps`. The period may come as side packet PERIOD.
    """

    inputs = {"": Any}
    outputs = {"": same_as("")}
    input_side_packets = {
        "OPTIONS": optional(CalculatorOptions | Options),
        "PERIOD": optional(int),
    }
    options = Options
    timestamp_offset = None

    def open(self, cc: CalculatorContext) -> None:
        options = merged_options(cc.options, cc.input_side_packets)
        self.is_async = options.thinner_type == Options.ASYNC
        if self.is_async:
            cc.set_offset(0)
        self.period: int = options.period
        if "PERIOD" in cc.input_side_packets:
            self.period = cc.input_side_packets["PERIOD"].value
        if self.period <= 0:
            raise ValueError(f"the period must be positive, found {self.period}")
        default_start = MIN if self.is_async else 0
        self.start: int = options.start_time if options.HasField("start_time") else default_start
        self.end = options.end_time if options.HasField("end_time") else MAX
        if self.start >= self.end:
            raise ValueError(f"start_time {self.start} is not before end_time {self.end}")
        self.at_centre = options.sync_output_timestamps
        self.next_valid = self.start
        self.saved: Packet = EMPTY
        cc.outputs[0].set_next_timestamp_bound(self.start)
        header = cc.inputs.header(0)
        if header:
            new = _thinned(header.value, options) if options.update_frame_rate else header.value
            cc.outputs[0].set_header(Packet(new))

    def process(self, cc: CalculatorContext) -> None:
        if cc.timestamp < self.start:
            return
        if cc.timestamp >= self.end:
            cc.outputs[0].close()
        elif self.is_async:
            self._thin_async(cc)
        else:
            self._thin_sync(cc)

    def _thin_async(self, cc: CalculatorContext) -> None:
        if cc.timestamp >= self.next_valid:
            cc.outputs[0].add_packet(cc.inputs[0])
            self.next_valid = add_offset(cc.timestamp, self.period)
            cc.outputs[0].set_next_timestamp_bound(self.next_valid)

    def _thin_sync(self, cc: CalculatorContext) -> None:
        packet = cc.inputs[0]
        now = packet.timestamp
        centre = self._centre(now)
        if self.saved:
            saved = self.saved.timestamp
            if self._centre(saved) == centre:
                if abs(now - centre) <= abs(saved - centre):
                    self.saved = packet
                return
            self._send_saved(cc)
        self.saved = packet
        cc.outputs[0].set_next_timestamp_bound(centre if self.at_centre else now)

    def _send_saved(self, cc: CalculatorContext) -> None:
        saved = self.saved
        cc.outputs[0].add_packet(
            saved.at(self._centre(saved.timestamp)) if self.at_centre else saved
        )

    def _centre(self, time: int) -> int:
        """The middle of the period that `time` lies in."""
        periods = (time - self.start + self.period // 2) // self.period
        return periods * self.period + self.start

    def close(self, cc: CalculatorContext) -> None:
        if self.saved:
            self._send_saved(cc)


def _thinned(header: VideoHeader, options: Options) -> VideoHeader:
    """The frame rate that is left after thinning."""
    rate = header.frame_rate
    if options.thinner_type == Options.ASYNC:
        return replace(header, frame_rate=rate / math.ceil(rate * options.period / _SECOND))
    return replace(header, frame_rate=min(rate, _SECOND / options.period))
