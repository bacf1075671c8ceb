"""A graph of its own for one request: given its packets, run to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calcgraph.runtime.errors import Code, RequestError, StatusError, callers_mistake
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.pooled_graph import silence


async def run_once(
    graph: CalculatorGraph,
    packets: Sequence[tuple[str, Any]],
    time: int,
    side_packets: Mapping[str, Any],
) -> Mapping[str, Any]:
    """The first payload of each output stream.

    Raises RequestError for the caller's mistakes, else StatusError.
    """
    outputs = [port.name for port in graph.plan.output_streams]
    payloads: dict[str, Any] = {}
    for name in outputs:
        graph.observe_output_stream(name, lambda name, packet: _take(payloads, name, packet))
    try:
        start(graph, side_packets)
        for stream, payload in packets:
            graph.add_packet_to_input_stream(stream, Packet(payload, time))
        graph.close_all_input_streams()
        await graph.until(lambda: len(payloads) == len(outputs))
        graph.close_all_packet_sources()
        await graph.until_done()
    except StatusError as error:
        raise callers_mistake(error) or error from None
    finally:
        graph.cancel()
    if len(payloads) < len(outputs):
        raise silence(outputs, payloads)
    return payloads


def start(graph: CalculatorGraph, side_packets: Mapping[str, Any]) -> None:
    """Start a graph for one caller. Side packets that are missing or wrong are that caller's mistake."""
    try:
        graph.check_side_packets(side_packets)
    except StatusError as error:
        raise RequestError(
            f"{error.message} Side packets are given as parameters of the request.",
            param="parameters",
            code=Code.FAILED_PRECONDITION,
        ) from None
    graph.start_run(side_packets)


def _take(payloads: dict[str, Any], name: str, packet: Packet) -> None:
    payloads.setdefault(name, packet.value)
