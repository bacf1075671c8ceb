"""SwitchDemuxCalculator: packets go to the channel that is on."""

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


class SwitchDemuxCalculator(CoreCalculator):
    """The input TAG goes to the output C<n>__TAG, n being the channel that is on at its time.

    ENABLE (a bool) or SELECT (an int) says which: a stream, a side packet or an option. Side packets and
    headers go to all channels.
    """

    inputs = {"SELECT": optional(int), "ENABLE": optional(bool)}
    input_side_packets = {"SELECT": optional(int), "ENABLE": optional(bool)}
    options = SwitchContainerOptions
    timestamp_offset = None
    process_timestamp_bounds = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        for _, source, target in channel_ports(contract.outputs):
            if source in contract.inputs:
                contract.outputs[target].set_same_as(contract.inputs[source].set_any())
        for _, source, target in channel_ports(contract.output_side_packets):
            if source in contract.input_side_packets:
                spec = contract.input_side_packets[source].set_any()
                contract.output_side_packets[target].set_same_as(spec)
        if not contract.options.synchronize_io:
            contract.set_input_stream_handler("ImmediateInputStreamHandler")

    def open(self, cc: CalculatorContext) -> None:
        self.channel = initial_channel(cc)
        self.channels = History(UNSTARTED, self.channel)
        ports = [each for each in channel_ports(cc.outputs) if each[1] in cc.inputs]
        self.queues: dict[PortKey, deque[Packet]] = {source: deque() for _, source, _ in ports}
        for _, source, target in ports:
            if cc.inputs.header(source):
                cc.outputs[target].set_header(cc.inputs.header(source))
        for _, source, target in channel_ports(cc.output_side_packets):
            if source in cc.input_side_packets:
                cc.output_side_packets[target].set(cc.input_side_packets[source])

    def process(self, cc: CalculatorContext) -> None:
        for source, queue in self.queues.items():
            if cc.inputs[source].timestamp == cc.timestamp:
                queue.append(cc.inputs[source])
        settled = selection_settled(cc)
        channel = chosen_channel(cc.inputs, self.channel)
        if settled == cc.timestamp and channel != self.channel:
            self.channel = channel
            self.channels.note(settled, channel)
        for source, queue in self.queues.items():
            self._send(cc, source, queue, settled)
        self.channels.forget_before(min(map(_bound, *self._pending(cc)), default=DONE))

    def _send(
        self, cc: CalculatorContext, source: PortKey, queue: deque[Packet], settled: int
    ) -> None:
        """What is queued goes out, packets and bounds, as far as the selection is known."""
        tag, index = source
        while queue and queue[0].timestamp <= settled:
            packet = queue.popleft()
            target = channel_tag(tag, self.channels.at(packet.timestamp)), index
            if target in cc.outputs:
                cc.outputs[target].add_packet(packet)

    def _pending(self, cc: CalculatorContext) -> tuple[list[Packet], list[deque[Packet]]]:
        return [cc.inputs[source] for source in self.queues], list(self.queues.values())


def _bound(latest: Packet, queue: deque[Packet]) -> int:
    """The first time for which a channel may still be asked."""
    if not queue:
        return next_allowed(latest.timestamp)
    return min(next_allowed(latest.timestamp), queue[0].timestamp)
