"""A trace as Chrome's JSON, which Perfetto and chrome://tracing open.

One track a node with a span for each call; above it, for each packet, how long it waited in the queue; and
arrows from the call that wrote a packet to the calls that read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

from calcgraph.runtime.calls import Call, Phase
from calcgraph.runtime.plan import GraphPlan
from calcgraph.runtime.timestamp import text
from calcgraph.runtime.tracing import Kind, Moment

_PROCESS_ID: Final = 1
_INPUTS_TRACK: Final = 0
_THROTTLING: Final = {Kind.THROTTLED: "throttled", Kind.UNTHROTTLED: "unthrottled"}

Event = dict[str, Any]


def chrome_trace(plan: GraphPlan, events: Sequence[Call | Moment]) -> Mapping[str, Any]:
    """An object to be written as JSON. Times are microseconds from the first event on."""
    rows = [*_spans(events), *_packets(events)]
    first = min((row["ts"] for row in rows), default=0)
    for row in rows:
        row["ts"] = (row["ts"] - first) / 1000
    return {"traceEvents": [*_names(plan), *rows], "displayTimeUnit": "ns"}


def _track(call: Call) -> int:
    return call.node.id + 1


def _names(plan: GraphPlan) -> Iterator[Event]:
    yield _meta("process_name", _INPUTS_TRACK, "graph")
    yield _meta("thread_name", _INPUTS_TRACK, "graph inputs")
    for node in plan.nodes:
        yield _meta("thread_name", node.id + 1, node.name)


def _meta(what: str, track: int, name: str) -> Event:
    return {"ph": "M", "pid": _PROCESS_ID, "tid": track, "name": what, "args": {"name": name}}


def _spans(events: Iterable[Call | Moment]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, Call):
            yield _at(_track(event), event.start) | {
                "ph": "X",
                "cat": event.phase.name.lower(),
                "name": f"{event.node.name}.{event.phase.name.lower()}",
                "dur": (event.finish - event.start) / 1000,
                "args": {"timestamp": text(event.timestamp), "thread": event.thread},
            }
        elif event.kind is Kind.PACKET_QUEUED:
            yield _at(_INPUTS_TRACK, event.time) | {
                "ph": "X",
                "cat": "input",
                "name": event.stream,
                "dur": 1,
                "args": {"timestamp": text(event.timestamp)},
            }
        elif event.kind in _THROTTLING:
            yield _at(_INPUTS_TRACK, event.time) | {
                "ph": "i",
                "s": "p",
                "cat": "throttling",
                "name": f"{event.stream} {_THROTTLING[event.kind]}",
            }


def _packets(events: Sequence[Call | Moment]) -> Iterator[Event]:
    """For each packet that a call read: its wait in the queue, and an arrow from its writer."""
    writers = _writers(events)
    numbers = count(1)
    for call in (event for event in events if isinstance(event, Call)):
        if call.phase is not Phase.PROCESS:
            continue
        for id, timestamp in call.inputs:
            stream = call.node.inputs[id].name
            writer = writers.get((stream, timestamp))
            if writer is None:
                continue  # it was written before the oldest event that is kept
            track, written = writer
            number = next(numbers)
            arrow = {"cat": "packet", "name": stream, "id": number}
            yield _at(track, written) | arrow | {"ph": "s"}
            yield _at(_track(call), call.start) | arrow | {"ph": "f", "bp": "e"}
            wait = {"cat": "queue", "name": f"{stream} at {text(timestamp)}", "id": number}
            yield _at(_track(call), min(written, call.start)) | wait | {"ph": "b"}
            yield _at(_track(call), call.start) | wait | {"ph": "e"}


def _writers(events: Iterable[Call | Moment]) -> dict[tuple[str, int], tuple[int, int]]:
    """(stream, timestamp) to the track and time at which that packet was written."""
    writers = {}
    for event in events:
        if isinstance(event, Call):
            for id, timestamp in event.outputs:
                # A nanosecond before the end, so that the arrow starts within the span.
                written = max(event.finish - 1, event.start)
                writers[event.node.outputs[id].name, timestamp] = (_track(event), written)
        elif event.kind is Kind.PACKET_QUEUED:
            writers[event.stream, event.timestamp] = (_INPUTS_TRACK, event.time)
    return writers


def _at(track: int, time: int) -> Event:
    return {"pid": _PROCESS_ID, "tid": track, "ts": time}
