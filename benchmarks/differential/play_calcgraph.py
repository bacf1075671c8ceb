"""Plays one case on calcgraph."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from benchmarks.differential.case import Case, Outcome, Step
from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import Timestamp, next_allowed


def play(case: Case) -> Outcome:
    """The outcome, as MediaPipe's player would tell it."""
    outcome = Outcome()
    watch = _Watch(outcome)
    try:
        graph = CalculatorGraph(graph_config=case.graph)
        for name in case.observed:
            graph.observe_output_stream(name, watch.see, case.stepwise)
        graph.start_run({name: value for name, _, value in case.side_packets})
        if case.stepwise:
            graph.wait_until_idle()
    except StatusError as error:
        return Outcome(refused=_kind(error))
    try:
        return _run(graph, case, watch)
    finally:
        with suppress(StatusError):
            graph.cancel()
            graph.close()


def _run(graph: CalculatorGraph, case: Case, watch: _Watch) -> Outcome:
    for number, step in enumerate(case.all_steps):
        try:
            _do(graph, step)
            if case.stepwise:
                graph.wait_until_idle()
        except StatusError as error:
            return watch.failed(number, error)
        watch.note()
    try:
        graph.close_all_packet_sources()
        graph.wait_until_done()
    except StatusError as error:
        return watch.failed(len(case.all_steps), error)
    watch.note()
    for name in case.observed_side_packets:
        try:
            watch.outcome.side_packets[name] = _value(graph.get_output_side_packet(name).value)
        except StatusError as error:
            watch.outcome.side_packets[name] = _kind(error)
    return watch.outcome


class _Watch:
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._now: dict[str, list[tuple[int, Any]]] = {}
        self._latest: dict[str, int] = {}

    def see(self, name: str, packet: Packet) -> None:
        time = int(packet.timestamp)
        if not packet.is_empty():
            self._now.setdefault(name, []).append((time, _value(packet.value)))
        self._latest[name] = max(time, self._latest.get(name, time))

    def note(self) -> None:
        self.outcome.steps.append(self._now)
        self.outcome.settled.append(dict(self._latest))
        self._now = {}

    def failed(self, number: int, error: StatusError) -> Outcome:
        return Outcome(
            steps=self.outcome.steps,
            settled=self.outcome.settled,
            failed_at=number,
            error=_kind(error),
            code=error.code.name,
        )


def _do(graph: CalculatorGraph, step: Step) -> None:
    what, stream, *rest = step
    if what == "add":
        time, _, value = rest
        graph.add_packet_to_input_stream(stream, Packet(value), Timestamp.of(time))
    elif what == "bound":
        graph.set_input_stream_timestamp_bound(stream, Timestamp.of(next_allowed(rest[0])))
    else:
        graph.close_input_stream(stream)


def _value(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return "(timestamp)"
    return value.tolist() if isinstance(value, np.ndarray) else value


def _kind(error: StatusError) -> str:
    """What MediaPipe's Python binding raises for such a status."""
    return "ValueError" if isinstance(error, ValueError) else "RuntimeError"
