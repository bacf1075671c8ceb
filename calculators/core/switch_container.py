"""SwitchContainer: one of several nodes does the work, chosen while the graph runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator
from calcgraph.calculators.core.switch_channels import SELECTORS, PortKey, channel_tag
from calcgraph.proto.core_calculators_pb2 import SwitchContainerOptions
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.subgraph import SubgraphContext
from calcgraph.runtime.tags import TagMap, parse_tag_index


class SwitchContainer(CoreCalculator):
    """Stands for the `contained_node` that ENABLE (a bool) or SELECT (an int) names.

    Expands into a SwitchDemuxCalculator, all contained nodes, and a SwitchMuxCalculator. A stream
    ENABLE or SELECT need not have a packet at every time: the last one holds. With `async_selection` a
    packet does not wait until the selection at its time is known. All streams, or only those of
    `tick_input_stream`, drive the selection on.
    """

    options = SwitchContainerOptions

    @classmethod
    def expand(cls, context: SubgraphContext) -> CalculatorGraphConfig:
        _check(context)
        return _Expansion(context).graph


class _Expansion:
    """The graph that a container stands for, while it is put together."""

    def __init__(self, context: SubgraphContext) -> None:
        assert isinstance(context.options, SwitchContainerOptions)
        self.options = context.options
        self.context = context
        self.graph = CalculatorGraphConfig()
        self.inputs = _inner_names(context.inputs)
        for tag in SELECTORS:
            if (tag, 0) in context.inputs:
                self._add_sequencer(tag)
        demux = self._add_switch("SwitchDemuxCalculator")
        nodes = [self.graph.node.add() for _ in self.options.contained_node]
        for node, contained in zip(nodes, self.options.contained_node, strict=True):
            node.CopyFrom(contained)
        mux = self._add_switch("SwitchMuxCalculator")
        sides = _inner_names(context.input_side_packets)
        self._wire("input_stream", "output_stream", demux, nodes, self.inputs)
        self._wire("output_stream", "input_stream", mux, nodes, _inner_names(context.outputs))
        self._wire("input_side_packet", "output_side_packet", demux, nodes, sides)
        self._wire(
            "output_side_packet",
            "input_side_packet",
            mux,
            nodes,
            _inner_names(context.output_side_packets),
        )

    def _add_sequencer(self, tag: str) -> None:
        """Turns the selection into one that is known at every tick."""
        self.graph.input_stream.append(f"{tag}:{_gate(tag)}")
        node = self.graph.node.add(calculator="PacketSequencerCalculator")
        node.input_stream.append(f"INPUT:{_gate(tag)}")
        for index, key in enumerate(self._ticks()):
            node.input_stream.append(_port("TICK", index, self.inputs[key]))
        node.output_stream.append(f"OUTPUT:{_gate(tag)}_timed")
        if not self.options.async_selection:
            node.input_stream_handler.input_stream_handler = "DefaultInputStreamHandler"

    def _ticks(self) -> list[PortKey]:
        named = [parse_tag_index(text) for text in self.options.tick_input_stream]
        for key in named:
            if key not in self.inputs:
                raise status_error(
                    Code.INVALID_ARGUMENT,
                    f"tick_input_stream '{key[0]}:{key[1]}' is not an input stream of the container",
                )
        return named or list(self.inputs)

    def _add_switch(self, calculator: str) -> Any:
        node = self.graph.node.add(calculator=calculator)
        options = SwitchContainerOptions()
        options.CopyFrom(self.options)
        options.ClearField("contained_node")
        node.node_options.add().Pack(options)
        for tag in SELECTORS:
            if (tag, 0) in self.context.inputs:
                node.input_stream.append(f"{tag}:{_gate(tag)}_timed")
            if (tag, 0) in self.context.input_side_packets:
                node.input_side_packet.append(f"{tag}:{_gate(tag)}")
                if f"{tag}:{_gate(tag)}" not in self.graph.input_side_packet:
                    self.graph.input_side_packet.append(f"{tag}:{_gate(tag)}")
        return node

    def _wire(
        self, outer: str, inner: str, switch: Any, nodes: list[Any], names: Mapping[PortKey, str]
    ) -> None:
        """Connect the container's ports of the field `outer` to the switch, and it to each node."""
        for (tag, index), name in names.items():
            getattr(self.graph, outer).append(_port(tag, index, name))
            getattr(switch, outer).append(_port(tag, index, name))
            for channel, node in enumerate(nodes):
                of_channel = f"c{channel}__{name}"
                getattr(switch, inner).append(_port(channel_tag(tag, channel), index, of_channel))
                getattr(node, outer).append(_port(tag, index, of_channel))


def _check(context: SubgraphContext) -> None:
    options = context.options
    assert isinstance(options, SwitchContainerOptions)
    if options.HasField("select") and options.HasField("enable"):
        raise status_error(
            Code.INVALID_ARGUMENT,
            "Only one of SwitchContainer options 'enable' and 'select' can be specified",
        )
    for ports in (context.inputs, context.input_side_packets):
        if all(tag in ports.tags for tag in SELECTORS):
            raise status_error(
                Code.INVALID_ARGUMENT,
                "Only one of SwitchContainer inputs 'ENABLE' and 'SELECT' can be specified",
            )


def _inner_names(ports: TagMap) -> dict[PortKey, str]:
    """A name for each port that is not a selector: the caller's own, made unique."""
    names: dict[PortKey, str] = {}
    for key, port in ports.items():
        if key[0] in SELECTORS:
            continue
        name, count = port.name, 2
        while name in names.values():
            name, count = f"{port.name}_{count}", count + 1
        names[key] = name
    return names


def _gate(tag: str) -> str:
    return f"gate_{tag.lower()}"


def _port(tag: str, index: int, name: str) -> str:
    if not tag:
        return name
    return f"{tag}:{index}:{name}" if index else f"{tag}:{name}"
