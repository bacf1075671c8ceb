"""PreviousLoopbackCalculator: each input together with what the graph made of the one before."""

from __future__ import annotations

from collections import deque
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import same_as
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import MAX, UNSET, UNSTARTED, next_allowed


class PreviousLoopbackCalculator(CoreCalculator):
    """At each packet of MAIN, PREV_LOOP is the packet that LOOP had at the packet of MAIN before.

    LOOP comes over a back edge from a later node. Where there is no such packet (always at the first
    one) PREV_LOOP only tells that nothing comes, so that its readers do not wait.
    """

    inputs = {"MAIN": Any, "LOOP": Any}
    outputs = {"PREV_LOOP": same_as("LOOP")}
    timestamp_offset = None
    input_stream_handler = "ImmediateInputStreamHandler"
    process_timestamp_bounds = True

    def open(self, cc: CalculatorContext) -> None:
        self.main: deque[tuple[int, int]] = deque()
        """For each time of MAIN, packet or bound, the time of LOOP that it waits for."""
        self.loop: deque[Packet] = deque()
        self.main_time: int = UNSTARTED
        self.main_packet_time: int = UNSTARTED
        # Unset, so that the very first empty packet of LOOP counts too.
        self.loop_time: int = UNSET
        if cc.inputs.header("LOOP"):
            cc.outputs["PREV_LOOP"].set_header(cc.inputs.header("LOOP"))

    def process(self, cc: CalculatorContext) -> None:
        self._take_main(cc.inputs["MAIN"])
        self._take_loop(cc.inputs["LOOP"])
        while self.main and self.loop:
            self._match(cc)

    def _take_main(self, packet: Packet) -> None:
        time = packet.timestamp
        if time <= self.main_time:
            return
        # A bound of MAIN becomes a bound of PREV_LOOP, whatever LOOP has.
        awaited: int = UNSET
        if packet:
            awaited, self.main_packet_time = self.main_packet_time, time
        self.main.append((time, awaited))
        self.main_time = time

    def _take_loop(self, packet: Packet) -> None:
        if packet.timestamp > self.loop_time:
            self.loop.append(packet)
            self.loop_time = packet.timestamp

    def _match(self, cc: CalculatorContext) -> None:
        """Settle the first time of MAIN, or drop a packet of LOOP that nobody waits for."""
        output = cc.outputs["PREV_LOOP"]
        time, awaited = self.main[0]
        candidate = self.loop[0]
        if awaited > candidate.timestamp:
            self.loop.popleft()
            return
        self.main.popleft()
        if awaited == candidate.timestamp:
            self.loop.popleft()
        if awaited == candidate.timestamp and candidate:
            output.add_packet(candidate.at(time))
        else:
            output.set_next_timestamp_bound(next_allowed(time))
        if time == MAX:
            # MAIN has no time after this one: it ended.
            output.close()
