"""One graph, what is done to it, and what was seen of it; the same for both runtimes, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

Step = tuple[Any, ...]
"""("add", stream, time, kind, value), ("bound", stream, last settled time) or ("close", stream)."""

TYPES = {
    "int": int,
    "string": str,
    "bool": bool,
    "float": float,
    "ints": list,
    "floats": list,
    "strings": list,
}
"""Kinds of payload that both runtimes can hold."""


@dataclass(frozen=True)
class Case:
    """A graph in pieces, so that they can be left out one by one."""

    nodes: tuple[str, ...]
    inputs: tuple[str, ...]
    observed: tuple[str, ...]
    steps: tuple[Step, ...]
    header: str = ""
    side_packets: tuple[tuple[str, str, Any], ...] = ()
    """(name, kind, value)"""
    observed_side_packets: tuple[str, ...] = ()
    stepwise: bool = True
    """Let the graph come to rest after every step, and look at bounds too."""

    @property
    def graph(self) -> str:
        ports = [f'input_stream: "{name}"' for name in self.inputs]
        ports += [f'input_side_packet: "{name}"' for name, _, _ in self.side_packets]
        return "\n".join([self.header, *ports, *self.nodes])

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Also the inputs' ends, one at a time where we look at each step."""
        ends = tuple(("close", name) for name in self.inputs) if self.stepwise else ()
        return (*self.steps, *ends)

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "graph": self.graph, "all_steps": self.all_steps})


@dataclass(frozen=True)
class Outcome:
    """What became of a case."""

    refused: str = ""
    """The error that the graph itself met: "ValueError" or "RuntimeError"."""
    steps: list[dict[str, list[tuple[int, Any]]]] = field(default_factory=list)
    """For each step and for the end, the packets seen on each stream since."""
    settled: list[dict[str, int]] = field(default_factory=list)
    """For each step, up to when each stream is known to be settled."""
    failed_at: int = -1
    """The step whose error ended the run; the number of steps is the end, -1 never."""
    error: str = ""
    """Its class: "ValueError" or "RuntimeError"."""
    code: str = ""
    """Its absl code, as far as it is known."""
    side_packets: dict[str, Any] = field(default_factory=dict)
    crashed: str = ""
    """The process died or hung: how. MediaPipe aborts where a CHECK fails."""

    @classmethod
    def from_json(cls, line: str) -> Outcome:
        return cls(**json.loads(line))

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def differ(case: Case, one: Outcome, other: Outcome) -> bool:
    """Whether an application could tell the two runtimes apart.

    Between rests it depends on threads when a packet comes and how far a bound got; after an error both
    stop somewhere, not at the same packet.
    """
    if one.refused or other.refused or one.crashed or other.crashed:
        return (one.refused, one.crashed) != (other.refused, other.crashed)
    if bool(one.error) != bool(other.error):
        return True
    if not case.stepwise:
        # Of several errors, how many are recorded before the run ends depends on threads too.
        same = not one.error and _plain(whole(one)) == _plain(whole(other))
        return not (one.error or same) or _plain(one.side_packets) != _plain(other.side_packets)
    if one.code and other.code:
        if one.code != other.code:
            return True
    elif one.error != other.error:
        return True
    if one.failed_at != other.failed_at:
        return True
    seen = [[each.steps, each.settled, each.side_packets] for each in (one, other)]
    return _plain(seen[0]) != _plain(seen[1])


def whole(outcome: Outcome) -> dict[str, list[tuple[int, Any]]]:
    """All packets of each stream."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for seen in outcome.steps:
        for name, packets in seen.items():
            found.setdefault(name, []).extend((time, value) for time, value in packets)
    return found


def _plain(value: Any) -> str:
    # As text True is not 1, and a tuple is a list.
    return json.dumps(value, sort_keys=True)


def without(case: Case, what: str, index: int) -> Case:
    """The case without one node, step, input, observed stream or side packet."""
    pieces = getattr(case, what)
    return replace(case, **{what: (*pieces[:index], *pieces[index + 1 :])})
