"""How long each node takes, and how old its packets are (mediapipe/framework/profiler/graph_profiler.cc).

Asked for by `profiler_config { enable_profiler: true }` in a graph, with `enable_stream_latency` for ages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from calcgraph.proto.graph_pb2 import ProfilerConfig
from calcgraph.proto.profile_pb2 import CalculatorProfile, TimeHistogram
from calcgraph.runtime.calls import Call, Phase
from calcgraph.runtime.plan import GraphPlan, NodePlan

_REMEMBERED = 1000
"""How many packets of a stream are remembered, to tell their age when they are read."""


@dataclass(slots=True)
class Histogram:
    """Counts durations by interval, of so many microseconds; the last has no upper end."""

    interval: int
    counts: list[int]
    total: int = 0

    def add(self, nanoseconds: int) -> None:
        microseconds = max(nanoseconds, 0) // 1000
        self.total += microseconds
        self.counts[min(microseconds // self.interval, len(self.counts) - 1)] += 1

    def to_proto(self) -> TimeHistogram:
        return TimeHistogram(
            total=self.total,
            interval_size_usec=self.interval,
            num_intervals=len(self.counts),
            count=self.counts,
        )


@dataclass(slots=True)
class _Born:
    """When a packet was written, and when the oldest packet that it comes from entered the graph."""

    written: int
    entered: int


@dataclass(slots=True)
class _NodeTimes:
    process: Histogram
    input_latency: Histogram
    output_latency: Histogram
    streams: list[Histogram]
    open: int = 0
    close: int = 0
    """Microseconds."""


@dataclass(slots=True)
class Profiler:
    """Adds up what every call took. `calls` come from one thread at a time."""

    plan: GraphPlan
    config: ProfilerConfig
    _nodes: dict[int, _NodeTimes] = field(default_factory=dict)
    _born: dict[str, dict[int, _Born]] = field(default_factory=dict)

    def on_packet(self, stream: str, timestamp: int, now: int) -> None:
        """The application added a packet."""
        if self.config.enable_stream_latency:
            by_packet = self.config.use_packet_timestamp_for_added_packet
            written = timestamp * 1000 if by_packet else now
            self._remember(stream, timestamp, _Born(written, written))

    def on_call(self, call: Call) -> None:
        times = self._nodes.get(call.node.id) or self._new(call.node)
        took = call.finish - call.start
        if call.phase is Phase.OPEN:
            times.open = took // 1000
        elif call.phase is Phase.CLOSE:
            times.close = took // 1000
        else:
            times.process.add(took)
            if self.config.enable_stream_latency:
                self._note_ages(call, times)

    def _note_ages(self, call: Call, times: _NodeTimes) -> None:
        entered = call.start
        for id, timestamp in call.inputs:
            born = self._born.get(call.node.inputs[id].name, {}).get(timestamp)
            if born is None:
                continue
            if id not in call.node.back_edges:
                times.streams[id].add(call.start - born.written)
                entered = min(entered, born.entered)
        if not call.node.is_source:
            times.input_latency.add(call.start - entered)
            times.output_latency.add(call.finish - entered)
        for id, timestamp in call.outputs:
            self._remember(call.node.outputs[id].name, timestamp, _Born(call.finish, entered))

    def _remember(self, stream: str, timestamp: int, born: _Born) -> None:
        packets = self._born.setdefault(stream, {})
        packets[timestamp] = born
        if len(packets) > _REMEMBERED:
            del packets[next(iter(packets))]

    def _new(self, node: NodePlan) -> _NodeTimes:
        times = self._nodes[node.id] = _NodeTimes(
            self._histogram(),
            self._histogram(),
            self._histogram(),
            [self._histogram() for _ in node.inputs],
        )
        return times

    def _histogram(self) -> Histogram:
        interval = self.config.histogram_interval_size_usec or 1_000_000
        return Histogram(interval, [0] * (self.config.num_histogram_intervals or 1))

    def profiles(self) -> list[CalculatorProfile]:
        """One for each node that was called, in node order."""
        return [self._profile(self.plan.nodes[id], self._nodes[id]) for id in sorted(self._nodes)]

    def _profile(self, node: NodePlan, times: _NodeTimes) -> CalculatorProfile:
        profile = CalculatorProfile(
            name=node.name,
            open_runtime=times.open,
            close_runtime=times.close,
            process_runtime=times.process.to_proto(),
        )
        if self.config.enable_stream_latency:
            profile.process_input_latency.CopyFrom(times.input_latency.to_proto())
            profile.process_output_latency.CopyFrom(times.output_latency.to_proto())
            for name, back_edge, histogram in _streams(node, times.streams):
                profile.input_stream_profiles.add(
                    name=name, back_edge=back_edge, latency=histogram.to_proto()
                )
        return profile

    def reset(self) -> None:
        self._nodes.clear()


def _streams(node: NodePlan, times: Sequence[Histogram]) -> Iterator[tuple[str, bool, Histogram]]:
    for id, (port, histogram) in enumerate(zip(node.inputs, times, strict=True)):
        yield port.name, id in node.back_edges, histogram
