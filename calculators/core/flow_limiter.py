"""FlowLimiterCalculator: drops packets so that few are on their way through a part of the graph."""

from __future__ import annotations

from collections import deque
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator, copy_headers, merged_options, require
from calcgraph.calculators.core.history import History
from calcgraph.proto.core_calculators_pb2 import FlowLimiterCalculatorOptions as Options
from calcgraph.proto.options_pb2 import CalculatorOptions
from calcgraph.runtime.context import CalculatorContext, OutputPort
from calcgraph.runtime.contract import Contract, optional, same_as
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import MAX, UNSET, next_allowed


class FlowLimiterCalculator(CoreCalculator):
    """Lets `max_in_flight` packets of the first input into the part of the graph that ends at FINISHED.

    FINISHED, over a back edge, tells by packet or bound that all up to its time are through. Meanwhile
    the newest `max_in_queue` packets wait; older ones are dropped. ALLOW tells of each packet whether it
    was let in. The other inputs follow the decisions of the first. After `in_flight_timeout`
    microseconds, by timestamps, a packet counts as lost. Options may also come as packets, tag OPTIONS.
    """

    inputs = {
        "": Any,
        ":*": Any,
        "FINISHED": Any,
        "OPTIONS": optional(CalculatorOptions | Options),
    }
    outputs = {":*": same_as(":*"), "ALLOW": optional(bool)}
    input_side_packets = {
        "OPTIONS": optional(CalculatorOptions | Options),
        "MAX_IN_FLIGHT": optional(int),
    }
    options = Options
    timestamp_offset = None
    input_stream_handler = "ImmediateInputStreamHandler"
    process_timestamp_bounds = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(
            contract.inputs.count() == contract.outputs.count(),
            "there must be as many untagged outputs as untagged inputs",
        )

    def open(self, cc: CalculatorContext) -> None:
        self.settings = Options()
        self.settings.CopyFrom(merged_options(cc.options, cc.input_side_packets))
        if "MAX_IN_FLIGHT" in cc.input_side_packets:
            self.settings.max_in_flight = cc.input_side_packets["MAX_IN_FLIGHT"].value
        self.queues: list[deque[Packet]] = [deque() for _ in range(cc.inputs.count())]
        self.in_flight: deque[int] = deque()
        self.allowed = History(UNSET, True)
        copy_headers(cc)

    def process(self, cc: CalculatorContext) -> None:
        self.settings = merged_options(self.settings, cc.inputs)
        self._retire(cc)
        for index, queue in enumerate(self.queues):
            if cc.inputs[index]:
                queue.append(cc.inputs[index])
        self._abandon_lost(cc)
        self._release(cc)
        self._settle(cc)
        self._follow(cc)
        self.allowed.forget_before(min(self._bound(cc, i) for i in range(len(self.queues))))

    def _retire(self, cc: CalculatorContext) -> None:
        finished = cc.inputs["FINISHED"].timestamp
        if finished == cc.timestamp:
            while self.in_flight and self.in_flight[0] <= finished:
                self.in_flight.popleft()

    def _abandon_lost(self, cc: CalculatorContext) -> None:
        timeout = self.settings.in_flight_timeout
        latest = cc.inputs[0].timestamp
        if timeout > 0 and latest == cc.timestamp and latest < MAX:
            while self.in_flight and latest - self.in_flight[0] > timeout:
                self.in_flight.popleft()

    def _release(self, cc: CalculatorContext) -> None:
        """Send what may go; of the rest, drop what is too much to wait."""
        queue = self.queues[0]
        while queue and len(self.in_flight) < self.settings.max_in_flight:
            packet = queue.popleft()
            cc.outputs[0].add_packet(packet)
            self.in_flight.append(packet.timestamp)
            self._tell(cc, packet.timestamp, True)
        while len(queue) > self.settings.max_in_queue:
            self._tell(cc, queue.popleft().timestamp, False)

    def _tell(self, cc: CalculatorContext, time: int, allow: bool) -> None:
        self.allowed.note(time, allow)
        if "ALLOW" in cc.outputs:
            cc.outputs["ALLOW"].add(allow, time)

    def _settle(self, cc: CalculatorContext) -> None:
        bound = self._bound(cc, 0)
        _set_bound(cc.outputs[0], bound)
        if not self.queues[0] and "ALLOW" in cc.outputs:
            _set_bound(cc.outputs["ALLOW"], bound)

    def _follow(self, cc: CalculatorContext) -> None:
        """Send the other inputs' packets at the times on which the first input has decided."""
        settled = self._bound(cc, 0)
        for index, queue in enumerate(self.queues):
            if index == 0:
                continue
            while queue and queue[0].timestamp < settled:
                packet = queue.popleft()
                if self.allowed.at(packet.timestamp):
                    cc.outputs[index].add_packet(packet)
            _set_bound(cc.outputs[index], self._bound(cc, index))

    def _bound(self, cc: CalculatorContext, index: int) -> int:
        """The first time of an input that is still undecided."""
        queue = self.queues[index]
        return queue[0].timestamp if queue else next_allowed(cc.inputs[index].timestamp)


def _set_bound(output: OutputPort, bound: int) -> None:
    if bound > MAX:
        output.close()
    else:
        output.set_next_timestamp_bound(bound)
