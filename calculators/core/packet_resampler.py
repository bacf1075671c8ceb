"""PacketResamplerCalculator: a packet at every period of a frame rate, the nearest one there was."""

from __future__ import annotations

import math
from dataclasses import replace

from calcgraph.calculators.core.base import CoreCalculator, merged_options, require
from calcgraph.calculators.core.video_header import VideoHeader
from calcgraph.proto.core_calculators_pb2 import PacketResamplerCalculatorOptions as Options
from calcgraph.proto.options_pb2 import CalculatorOptions
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, PortSpecs, optional
from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.packet import EMPTY, Packet
from calcgraph.runtime.timestamp import MAX, MIN, PRE_STREAM

_SECOND = 1_000_000


class PacketResamplerCalculator(CoreCalculator):
    """Repeats and drops packets so that one comes every 1 / `frame_rate` seconds.

    Periods count from the first packet, or from `base_timestamp`. A period without a packet repeats the
    latest one. Data is tagged DATA or untagged; a VIDEO_HEADER stream carries a `VideoHeader` at
    PreStream. `jitter` is refused, as by MediaPipe's public source, which lacks the generator for it.
    """

    input_side_packets = {
        "OPTIONS": optional(CalculatorOptions | Options),
        "SEED": optional(str),
    }
    inputs = {"VIDEO_HEADER": optional(VideoHeader)}
    outputs = {"VIDEO_HEADER": optional(VideoHeader)}
    options = Options
    timestamp_offset = None

    @classmethod
    def contract(cls, contract: Contract) -> None:
        data = contract.inputs[_data_tag(contract.inputs)].set_any()
        contract.outputs[_data_tag(contract.outputs)].set_same_as(data)
        if contract.options.jitter:
            raise status_error(
                Code.INVALID_ARGUMENT,
                "not supported: jitter, which needs a random generator that MediaPipe does not publish",
            )

    def open(self, cc: CalculatorContext) -> None:
        self.source = "DATA" if "DATA" in cc.inputs else ""
        self.target = "DATA" if "DATA" in cc.outputs else ""
        options = merged_options(cc.options, cc.input_side_packets)
        self.settings = options
        self.start = options.start_time if options.HasField("start_time") else MIN
        self.end = options.end_time if options.HasField("end_time") else MAX
        self.period = 0
        """The number of the next period that has no packet yet."""
        self.first: int | None = None
        """When period 0 is."""
        self.last: Packet = EMPTY
        self.header = VideoHeader()
        header = cc.inputs.header(self.source)
        if not options.use_input_frame_rate:
            self._set_rate(options.frame_rate)
        elif header:
            self._set_rate(self._input_rate(header.value))
        if header and options.output_header != Options.NONE:
            if options.output_header == Options.UPDATE_VIDEO_HEADER:
                self.header = replace(header.value, frame_rate=self.rate)
                header = Packet(self.header)
            cc.outputs[self.target].set_header(header)

    def _input_rate(self, header: VideoHeader) -> float:
        fastest = self.settings.max_frame_rate
        return min(header.frame_rate, fastest) if fastest > 0 else header.frame_rate

    def _set_rate(self, rate: float) -> None:
        require(rate > 0, f"The output frame rate must be greater than zero, found {rate}")
        require(rate <= _SECOND, f"The output frame rate must be at most {_SECOND}, found {rate}")
        self.rate = rate
        self.header = replace(self.header, frame_rate=rate)
        self.margin = int(_SECOND / rate) // 2 if self.settings.round_limits else 0

    def process(self, cc: CalculatorContext) -> None:
        if cc.timestamp == PRE_STREAM and "VIDEO_HEADER" in cc.inputs and cc.inputs["VIDEO_HEADER"]:
            self._take_header(cc.inputs["VIDEO_HEADER"].value)
            if not cc.inputs[self.source]:
                return
        require(cc.timestamp > PRE_STREAM, "data at PreStream cannot be resampled")
        packet = cc.inputs[self.source]
        if packet:
            self._resample(cc, packet)
            self.last = packet

    def _take_header(self, header: VideoHeader) -> None:
        rate = self._input_rate(header) if self.settings.use_input_frame_rate else self.rate
        self.header = header
        self._set_rate(rate)

    def _resample(self, cc: CalculatorContext, packet: Packet) -> None:
        now = int(packet.timestamp)
        if self.first is None:
            self.first = self._first_time(now)
            if "VIDEO_HEADER" in cc.outputs:
                cc.outputs["VIDEO_HEADER"].add(self.header, PRE_STREAM)
        period = self._period_of(now)
        if period < self.period:
            return
        while period > self.period:
            self._send(cc, self.last)
        centre = self._time_of(self.period)
        if now >= centre:
            # Past the centre nothing nearer can come.
            nearer = not self.last or now - centre <= centre - self.last.timestamp
            self._send(cc, packet if nearer else self.last)
        cc.outputs[self.target].set_next_timestamp_bound(self._time_of(self.period))

    def _first_time(self, now: int) -> int:
        if not self.settings.HasField("base_timestamp"):
            return now
        base: int = self.settings.base_timestamp
        periods = _round((now - base) / _SECOND * self.rate)
        return base + _round(periods / self.rate * _SECOND)

    def _time_of(self, period: int) -> int:
        assert self.first is not None
        return self.first + _round(period / self.rate * _SECOND)

    def _period_of(self, time: int) -> int:
        assert self.first is not None
        return _round((time - self.first) / _SECOND * self.rate)

    def _send(self, cc: CalculatorContext, packet: Packet) -> None:
        """Fill the next period, if it lies within the limits."""
        time = self._time_of(self.period)
        self.period += 1
        if packet and self.start - self.margin <= time < self.end + self.margin:
            cc.outputs[self.target].add_packet(packet.at(time))

    def close(self, cc: CalculatorContext) -> None:
        if self.first is None or not self.settings.flush_last_packet:
            return
        if self._period_of(self.last.timestamp) == self.period:
            self._send(cc, self.last)


def _data_tag(ports: PortSpecs) -> str:
    return "DATA" if "DATA" in ports else ""


def _round(x: float) -> int:
    """Half away from zero, as C++ does."""
    return int(math.copysign(math.floor(abs(x) + 0.5), x))
