"""A stream of requests and the graph that answers it, for as long as the stream lives.

The graph keeps what its calculators keep, so that an answer may depend on all requests before. Every packet
of an output stream is an answer of its own. Requests wait while the graph's queues are full or answers wait
to be taken; sources of the graph are held back too. What a graph writes all the same, in a loop, for a
client that does not read is bounded: then the stream fails.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from calcgraph.runtime.errors import Code, RequestError, StatusError, callers_mistake
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.payload import InferRequest, InferResponse, Parameter
from calcgraph.runtime.request_parameters import TIMESTAMP, Clock, timestamp
from calcgraph.runtime.signature import Signature
from calcgraph.runtime.single_run import start
from calcgraph.runtime.stream_ledger import StreamLedger
from calcgraph.runtime.timestamp import UNSTARTED

ASKS_FOR_FINAL: Final = "triton_enable_empty_final_response"
FINAL: Final = "triton_final_response"

_WAITING: Final = 64
"""Answers of one output stream that may wait before the graph's inputs and sources are held back."""
_MOST_WAITING: Final = 16 * 1024
_MOST_BYTES: Final = 64 << 20
"""What may wait at most, in a graph that cannot be held back."""


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """One packet of an output stream, or of a stream that carries whole messages one message."""

    response: InferResponse
    id: str
    """That of the request with the same time."""


class StreamSession:
    """Belongs to one event loop. Whoever opens it takes its answers and cancels it at the end."""

    def __init__(
        self,
        graph: CalculatorGraph,
        signature: Signature,
        admit: Callable[[InferRequest], None],
        side_packets: Mapping[str, Any],
    ) -> None:
        """Start the graph. Raises RequestError for side packets that are missing or wrong.

        `admit` raises RequestError for a request that the model will not take now.
        """
        self._graph = graph
        self._signature = signature
        self._admit = admit
        self._clock = Clock()
        self._last: dict[str, int] = {}
        self._latest = UNSTARTED
        names = [port.name for port in graph.plan.output_streams]
        self._ledger = StreamLedger(names)
        self._rests = False
        self._is_fed = True
        self._has_ended = False
        self._waiting = 0
        self._bytes = 0
        self._failure: Exception | None = None
        self._pollers = {name: graph.add_output_stream_poller(name, True) for name in names}
        for name, poller in self._pollers.items():
            poller.set_max_queue_size(_WAITING)
            graph.observe_output_stream(name, self._count)
        graph.set_idle_callback(self._on_idle)
        start(graph, side_packets)

    async def add(self, request: InferRequest) -> None:
        """Put a request into the graph, once there is room for it.

        Raises RequestError for one that does not fit; nothing of it is in the graph then, and the stream
        goes on. What ends the stream is told by `answers` alone.
        """
        asked = timestamp(request.parameters)
        self._admit(request)
        packets = self._signature.partial_packets(request)
        time = max(self._clock.next(), self._latest + 1) if asked is None else asked
        if self._is_over or not self._in_order(packets, time):
            return
        self._latest = max(self._latest, time)
        await self._graph.until(lambda: self._waiting < _WAITING)
        self._is_fed = False
        self._ledger.note(time, request.id, request.parameters.get(ASKS_FOR_FINAL) is True)
        for stream, payload in packets:
            await self._feed(stream, Packet(payload, time))
        self._is_fed = True

    async def _feed(self, stream: str, packet: Packet) -> None:
        if not self._is_over:
            await self._graph.until_room(stream)
        if not self._is_over:
            self._rests = False
            with suppress(StatusError):  # then the graph has failed, and `answers` tells why
                self._graph.add_packet_to_input_stream(stream, packet)

    @property
    def _is_over(self) -> bool:
        return self._has_ended or self._failure is not None or self._graph.has_error()

    def _in_order(self, packets: Sequence[tuple[str, Any]], time: int) -> bool:
        for stream, _ in packets:
            last = self._last.get(stream)
            if last is not None and time <= last:
                self.fail(
                    RequestError(
                        f"The timestamps of input '{stream}' must increase: {time} came after {last}.",
                        param=f"parameters.{TIMESTAMP}",
                    )
                )
                return False
        self._last.update(dict.fromkeys((stream for stream, _ in packets), time))
        return True

    def end(self) -> None:
        """No more requests: the graph closes, and `answers` ends when it is done."""
        if not self._is_over:
            self._graph.close_all_packet_sources()

    def fail(self, error: Exception) -> None:
        """End the stream: `answers` raises this once what is there was taken."""
        if self._failure is None:
            self._failure = error
        self.cancel()

    def cancel(self) -> None:
        """Let the graph go, whatever it does."""
        self._graph.cancel()

    async def answers(self) -> AsyncGenerator[StreamAnswer]:
        """The answers until the stream has ended.

        Raises at the end: RequestError for the caller's mistakes, else StatusError.
        """
        while True:
            await self._graph.until(self._has_something)
            if not self._has_something():
                break
            for stream, packet in self._taken():
                self._ledger.settle(stream, packet.timestamp)
                for answer in self._answers_of(stream, packet):
                    yield answer
            for answer in self._finals(self._at_rest()):
                yield answer
        for answer in self._finals(at_rest=True):
            yield answer
        await self._finish()

    async def _finish(self) -> None:
        self._has_ended = True
        try:
            await self._graph.until_done()
        except StatusError as error:
            raise self._failure or callers_mistake(error) or error from None

    def _has_something(self) -> bool:
        return self._is_queued() or (self._at_rest() and len(self._ledger) > 0)

    def _is_queued(self) -> bool:
        return any(poller.queue_size() for poller in self._pollers.values())

    def _at_rest(self) -> bool:
        return self._rests and self._is_fed and not self._is_queued()

    def _taken(self) -> Iterator[tuple[str, Packet]]:
        """A packet of each output stream that has one."""
        for name, poller in self._pollers.items():
            if poller.queue_size() and (packet := poller.next()) is not None:
                yield name, packet

    def _answers_of(self, stream: str, packet: Packet) -> Iterator[StreamAnswer]:
        if packet.is_empty():
            return
        self._waiting -= 1
        self._bytes -= _size(packet.value)
        time = int(packet.timestamp)
        asked = self._ledger.at(time)
        more: dict[str, Parameter] = {TIMESTAMP: time}
        over = self._ledger.answered(at_rest=True) if self._at_rest() else []
        if asked is not None and asked.wants_final:
            more[FINAL] = asked in over
        part = self._signature.part(stream, packet.value)
        answer = InferResponse(part.outputs, {**part.parameters, **more})
        yield StreamAnswer(answer, asked.id if asked is not None else "")
        yield from (
            _final(each.time, each.id) for each in over if each.wants_final and each != asked
        )

    def _finals(self, at_rest: bool) -> Iterator[StreamAnswer]:
        for asked in self._ledger.answered(at_rest=at_rest):
            if asked.wants_final:
                yield _final(asked.time, asked.id)

    def _count(self, _: str, packet: Packet) -> None:
        self._waiting += 1
        self._bytes += _size(packet.value)
        if self._waiting > _MOST_WAITING or (
            self._bytes > _MOST_BYTES and self._waiting > _WAITING
        ):
            raise RequestError(
                f"{self._waiting} answers of this stream wait to be read; the client is too slow.",
                code=Code.RESOURCE_EXHAUSTED,
            )

    def _on_idle(self) -> None:
        self._rests = True


def _final(time: int, id: str) -> StreamAnswer:
    return StreamAnswer(InferResponse([], {TIMESTAMP: time, FINAL: True}), id)


def _size(payload: Any) -> int:
    """About how many bytes a payload takes."""
    if isinstance(payload, InferResponse):
        return sum(_size(tensor) for tensor in payload.outputs)
    data = getattr(payload, "data", payload)
    raw = getattr(payload, "raw", b"")
    return int(getattr(data, "nbytes", 0)) + len(raw)
