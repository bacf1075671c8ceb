"""A started graph that answers one request after the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calcgraph.runtime.errors import RequestError, StatusError, callers_mistake
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet


class PooledGraph:
    """Belongs to one event loop, and to one request at a time."""

    def __init__(self, graph: CalculatorGraph) -> None:
        """Start the graph. Raises what its nodes' `open` raises."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._outputs = [port.name for port in graph.plan.output_streams]
        self._answer: asyncio.Future[Mapping[str, Any]] | None = None
        self._payloads: dict[str, Any] = {}
        self._on_rest: Callable[[], None] | None = None
        self._rests = False
        self._is_fed = True
        self._graph = graph
        for name in self._outputs:
            graph.observe_output_stream(name, self._on_output)
        graph.set_error_callback(self._on_error)
        graph.set_idle_callback(self._on_idle)
        graph.start_run()

    async def ask(self, packets: Sequence[tuple[str, Any]], time: int) -> Mapping[str, Any]:
        """The first payload of each output stream, once all are there.

        Raises RequestError for the caller's mistakes, else StatusError; then the graph is of no more use.
        """
        answer: asyncio.Future[Mapping[str, Any]] = self._loop.create_future()
        self._answer = answer
        self._payloads = {}
        self._is_fed = False
        try:
            for stream, payload in packets:
                self._rests = False
                self._graph.add_packet_to_input_stream(stream, Packet(payload, time))
        except StatusError:
            if not answer.done():
                raise
        self._is_fed = True
        if self._rests:
            self._reject_silence()
        return await answer

    def when_at_rest(self, deed: Callable[[], None]) -> None:
        """Call it once the graph has nothing left to do for its request; never, if that fails."""
        if self._rests:
            deed()
        else:
            self._on_rest = deed

    def drop(self) -> None:
        self._on_rest = None
        self._graph.cancel()

    def _on_output(self, stream: str, packet: Packet) -> None:
        self._on_loop(self._take, stream, packet.value)

    def _on_error(self, error: StatusError) -> None:
        self._on_loop(self._reject, error)

    def _on_idle(self) -> None:
        self._on_loop(self._rest)

    def _on_loop(self, deed: Any, *args: Any) -> None:
        if threading.get_ident() == self._thread:
            deed(*args)
        else:
            self._loop.call_soon_threadsafe(deed, *args)

    def _take(self, stream: str, payload: Any) -> None:
        self._payloads.setdefault(stream, payload)
        if len(self._payloads) == len(self._outputs) and self._answer and not self._answer.done():
            self._answer.set_result(self._payloads)

    def _reject(self, error: StatusError) -> None:
        self._on_rest = None
        if self._answer and not self._answer.done():
            self._answer.set_exception(callers_mistake(error) or error)

    def _rest(self) -> None:
        self._rests = True
        if not self._is_fed:
            return  # it waits for the next packet of this request
        self._reject_silence()
        if self._on_rest is not None:
            deed, self._on_rest = self._on_rest, None
            deed()

    def _reject_silence(self) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(silence(self._outputs, self._payloads))


def silence(outputs: Sequence[str], payloads: Mapping[str, Any]) -> RequestError:
    """The graph came to rest, and some output streams have no packet."""
    silent = ", ".join(f"'{name}'" for name in outputs if name not in payloads)
    return RequestError(f"The model's graph gave nothing on its output {silent} for this request.")
