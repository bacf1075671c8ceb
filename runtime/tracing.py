"""What happened in a graph, event by event: the newest of it, kept in memory.

Asked for by `profiler_config { trace_enabled: true }`. `capture` gives MediaPipe's GraphTrace, `chrome_trace`
what Perfetto (ui.perfetto.dev) opens.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from threading import RLock
from typing import Any, Final

from calcgraph.proto.graph_pb2 import ProfilerConfig
from calcgraph.proto.profile_pb2 import GraphTrace
from calcgraph.runtime.calls import Call
from calcgraph.runtime.plan import GraphPlan
from calcgraph.runtime.timestamp import UNSET, is_range
from calcgraph.runtime.trace_files import TraceFiles

log = logging.getLogger("calcgraph.graph")

_DEFAULT_CAPACITY: Final = 20_000


class Kind(IntEnum):
    """What has no duration; the numbers are those of GraphTrace.EventType."""

    NOT_READY = 4
    READY_FOR_PROCESS = 5
    READY_FOR_CLOSE = 6
    THROTTLED = 7
    UNTHROTTLED = 8
    PACKET_QUEUED = 15


@dataclass(frozen=True, slots=True)
class Moment:
    """`time` is nanoseconds since the epoch; `timestamp` is that of a packet or an input set."""

    kind: Kind
    time: int
    node: int = -1
    stream: str = ""
    timestamp: int = UNSET


class Tracer:
    """The newest `trace_log_capacity` events of a graph; told of one at a time."""

    def __init__(self, plan: GraphPlan, config: ProfilerConfig) -> None:
        self.plan = plan
        self._disabled = frozenset(config.trace_event_types_disabled)
        self._instant = config.trace_log_instant_events
        self._events: deque[Call | Moment] = deque(
            maxlen=config.trace_log_capacity or _DEFAULT_CAPACITY
        )
        self._lock = RLock()
        self._files = None if config.trace_log_disabled else TraceFiles(plan, config)
        self._streams = {name: id for id, name in enumerate(["", *plan.streams])}

    def on_call(self, call: Call) -> None:
        if call.phase not in self._disabled:
            self._log(call, call.finish)

    def on_packet(self, stream: str, timestamp: int, now: int) -> None:
        self.note(Moment(Kind.PACKET_QUEUED, now, stream=stream, timestamp=timestamp))

    def note(self, moment: Moment) -> None:
        if moment.kind not in self._disabled:
            self._log(moment, moment.time)

    def _log(self, event: Call | Moment, now: int) -> None:
        with self._lock:
            self._events.append(event)
            if self._files is not None and self._files.is_due(now):
                self.write_files(now)

    def write_files(self, now: int) -> None:
        """Write what is new to the trace files; nothing when there is nothing."""
        with self._lock:
            if self._files is None or not self._events:
                return
            try:
                self._files.write(self.capture(), now)
            except OSError as error:  # no reason to fail the run
                log.warning("the trace cannot be written: %s", error)

    @property
    def events(self) -> Sequence[Call | Moment]:
        with self._lock:
            return tuple(self._events)

    def capture(self) -> GraphTrace:
        """All events as a message; the buffer is empty afterwards."""
        with self._lock:
            events = sorted(self._events, key=_when)
            self._events.clear()
        trace = GraphTrace(
            base_time=min(map(_when, events), default=0) // 1000,
            base_timestamp=min(filter(is_range, (event.timestamp for event in events)), default=0),
            calculator_name=[node.name for node in self.plan.nodes],
            stream_name=list(self._streams),
        )
        for event in events:
            if not isinstance(event, Call):
                self._add_moment(trace, event)
            elif self._instant:
                self._add_call(trace, event, finish=False)
                self._add_call(trace, event, start=False)
            else:
                self._add_call(trace, event)
        return trace

    def _add_call(
        self, trace: GraphTrace, call: Call, *, start: bool = True, finish: bool = True
    ) -> None:
        entry = trace.calculator_trace.add(
            node_id=call.node.id, event_type=int(call.phase), thread_id=call.thread % 2**31
        )
        if start:
            entry.start_time = call.start // 1000 - trace.base_time
            for id, timestamp in call.inputs:
                stream = self._streams[call.node.inputs[id].name]
                _stamp(trace, entry.input_trace.add(stream_id=stream), timestamp)
        if finish:
            entry.finish_time = call.finish // 1000 - trace.base_time
            for id, timestamp in call.outputs:
                stream = self._streams[call.node.outputs[id].name]
                _stamp(trace, entry.output_trace.add(stream_id=stream), timestamp)
        if is_range(call.timestamp):
            entry.input_timestamp = call.timestamp - trace.base_timestamp

    def _add_moment(self, trace: GraphTrace, moment: Moment) -> None:
        entry = trace.calculator_trace.add(
            node_id=moment.node,
            event_type=int(moment.kind),
            start_time=moment.time // 1000 - trace.base_time,
        )
        if moment.stream:
            output = entry.output_trace.add(stream_id=self._streams[moment.stream])
            _stamp(trace, output, moment.timestamp)
        elif is_range(moment.timestamp):
            entry.input_timestamp = moment.timestamp - trace.base_timestamp

    def chrome_trace(self) -> Mapping[str, Any]:
        """The events as Chrome's trace JSON; see `chrome_trace.py`. They stay in the buffer."""
        from calcgraph.runtime.chrome_trace import chrome_trace

        return chrome_trace(self.plan, self.events)


def _stamp(trace: GraphTrace, entry: GraphTrace.StreamTrace, timestamp: int) -> None:
    if is_range(timestamp):
        entry.packet_timestamp = timestamp - trace.base_timestamp


def _when(event: Call | Moment) -> int:
    return event.start if isinstance(event, Call) else event.time
