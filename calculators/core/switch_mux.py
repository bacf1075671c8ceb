"""SwitchMuxCalculator: what comes out is what the channel that is on sends."""

from __future__ import annotations

from collections import deque

from calcgraph.calculators.core.base import CoreCalculator
from calcgraph.calculators.core.history import History
from calcgraph.calculators.core.switch_channels import (
    PortKey,
    channel_ports,
    channel_tag,
    chosen_channel,
    initial_channel,
    selection_settled,
)
from calcgraph.proto.core_calculators_pb2 import SwitchContainerOptions
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import DONE, UNSTARTED, next_allowed


class SwitchMuxCalculator(CoreCalculator):
    """The output TAG is the input C<n>__TAG, n being the channel that is on at its time.

    ENABLE (a bool) or SELECT (an int) says which: a stream, a side packet or an option. Side packets
    come from the channel that is on first.
    """

    inputs = {"SELECT": optional(int), "ENABLE": optional(bool)}
    input_side_packets = {"SELECT": optional(int), "ENABLE": optional(bool)}
    options = SwitchContainerOptions
    timestamp_offset = None
    input_stream_handler = "ImmediateInputStreamHandler"
    process_timestamp_bounds = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        for _, target, source in channel_ports(contract.inputs):
            if target in contract.outputs:
                contract.outputs[target].set_same_as(contract.inputs[source].set_any())
        for _, target, source in channel_ports(contract.input_side_packets):
            if target in contract.output_side_packets:
                spec = contract.input_side_packets[source].set_any()
                contract.output_side_packets[target].set_same_as(spec)

    def open(self, cc: CalculatorContext) -> None:
        self.channel = initial_channel(cc)
        self.channels = History(UNSTARTED, self.channel)
        self.queues: dict[PortKey, deque[Packet]] = {
            source: deque() for _, _, source in channel_ports(cc.inputs)
        }
        for channel, target, source in channel_ports(cc.input_side_packets):
            if channel == self.channel and target in cc.output_side_packets:
                cc.output_side_packets[target].set(cc.input_side_packets[source])

    def process(self, cc: CalculatorContext) -> None:
        settled = selection_settled(cc)
        channel = chosen_channel(cc.inputs, self.channel)
        if settled == cc.timestamp and channel != self.channel:
            self.channel = channel
            self.channels.note(settled, channel)
        for source, queue in self.queues.items():
            if cc.inputs[source].timestamp == cc.timestamp:
                queue.append(cc.inputs[source])
        self._send(cc, next_allowed(settled))

    def _send(self, cc: CalculatorContext, settled: int) -> None:
        """Span by span: what the channel that was on has sent, until one span is not complete."""
        for start, end, channel in list(self.channels.spans(settled)):
            complete: int = DONE
            for (tag, index), output in zip(cc.outputs, cc.outputs.values(), strict=True):
                source = channel_tag(tag, channel), index
                if source not in self.queues:
                    continue
                queue = self.queues[source]
                while queue and queue[0].timestamp < end:
                    packet = queue.popleft()
                    if packet.timestamp >= start:
                        output.add_packet(packet)
                complete = min(complete, next_allowed(cc.inputs[source].timestamp))
            if complete < end or start == self.channels.latest:
                return
            self._drop(end)
            self.channels.forget_before(end)

    def _drop(self, end: int) -> None:
        """What the channels that were off have sent."""
        for queue in self.queues.values():
            while queue and queue[0].timestamp < end:
                queue.popleft()
