"""What profiler and tracer are told: one call of one calculator's method, timed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.plan import NodePlan


class Phase(IntEnum):
    """Which method; the numbers are those of GraphTrace.EventType."""

    OPEN = 1
    PROCESS = 2
    CLOSE = 3


@dataclass(frozen=True, slots=True)
class Call:
    """Times are nanoseconds since the epoch. `inputs` and `outputs` are (port id, packet's timestamp)."""

    node: NodePlan
    phase: Phase
    timestamp: int
    start: int
    finish: int
    thread: int
    inputs: Sequence[tuple[int, int]]
    outputs: Sequence[tuple[int, int]]


class Listener(Protocol):
    """Who wants to know of calls, and of packets that the application adds."""

    def on_call(self, call: Call) -> None: ...

    def on_packet(self, stream: str, timestamp: int, now: int) -> None: ...


Method = Callable[[CalculatorContext], Any]

_EPOCH = time.time_ns() - time.perf_counter_ns()


def nanoseconds() -> int:
    """The time since the epoch, never going back."""
    return time.perf_counter_ns() + _EPOCH


class Stopwatch:
    """Wraps the methods of the nodes that are to be watched, and the streams that the application feeds.

    A graph that asks for neither profile nor trace has none, and pays nothing.
    """

    def __init__(self, listeners: Sequence[Listener], calculator_filter: str = "") -> None:
        self._listeners = listeners
        self._filter = re.compile(calculator_filter) if calculator_filter else None
        self._lock = threading.Lock()

    def watches(self, node: NodePlan) -> bool:
        return self._filter is None or self._filter.fullmatch(node.name) is not None

    def timed(self, node: NodePlan, phase: Phase, method: Method) -> Method:
        """The same method, its calls told to the listeners."""

        def call(context: CalculatorContext) -> Any:
            start = nanoseconds()
            inputs = _packets(context.inputs._items)
            try:
                result = method(context)
            except BaseException:
                self._finish(node, phase, context, start, inputs)
                raise
            if isinstance(result, Awaitable):
                return self._finish_later(result, node, phase, context, start, inputs)
            self._finish(node, phase, context, start, inputs)
            return result

        return call

    async def _finish_later(
        self,
        awaitable: Awaitable[Any],
        node: NodePlan,
        phase: Phase,
        context: CalculatorContext,
        start: int,
        inputs: Sequence[tuple[int, int]],
    ) -> Any:
        try:
            return await awaitable
        finally:
            self._finish(node, phase, context, start, inputs)

    def _finish(
        self,
        node: NodePlan,
        phase: Phase,
        context: CalculatorContext,
        start: int,
        inputs: Sequence[tuple[int, int]],
    ) -> None:
        outputs = [
            (id, packet._time)
            for id, port in enumerate(context.outputs._items)
            for packet in port.packets
        ]
        call = Call(
            node,
            phase,
            context._time,
            start,
            nanoseconds(),
            threading.get_ident(),
            inputs,
            outputs,
        )
        with self._lock:
            for listener in self._listeners:
                listener.on_call(call)

    def tap(self, stream: str) -> _Tap:
        """A reader for a graph input stream."""
        return _Tap(self, stream)

    def on_packet(self, stream: str, timestamp: int) -> None:
        now = nanoseconds()
        with self._lock:
            for listener in self._listeners:
                listener.on_packet(stream, timestamp, now)


class _Tap:
    """Reads a stream only to tell when its packets came."""

    def __init__(self, stopwatch: Stopwatch, stream: str) -> None:
        self._stopwatch = stopwatch
        self._stream = stream

    def add(self, packet: Packet) -> None:
        self._stopwatch.on_packet(self._stream, packet._time)

    def set_bound(self, bound: int) -> None:
        """Bounds are not told."""


def _packets(items: Sequence[Packet]) -> list[tuple[int, int]]:
    return [(id, packet._time) for id, packet in enumerate(items) if not packet.is_empty()]
