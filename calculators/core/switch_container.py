"""SwitchContainer: one of several nodes does the work, chosen while the graph runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from calcgraph.calculators.core.base import CoreCalculator
from calcgraph.calculators.core.switch_channels import SELECTORS, PortKey, channel_tag
from calcgraph.proto.core_calculators_pb2 import SwitchContainerOptions
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.subgraph import SubgraphContext
from calcgraph.runtime.tags import TagMap, parse_tag_index

Node = CalculatorGraphConfig.Node


class SwitchContainer(CoreCalculator):
    """Stands for the `contained_node` that ENABLE (a bool) or SELECT (an int) names.

    Expands into a SwitchDemuxCalculator, all contained nodes, and a SwitchMuxCalculator. A stream
    ENABLE or SELECT need not have a packet at every time: the last one holds. With `async_selection` a
    packet is not held back until the selection at its time is known. Only the streams of
    `tick_input_stream`, or all, decide how far the selection is known.
    """

    options = SwitchContainerOptions

    @classmethod
    def expand(cls, context: SubgraphContext) -> CalculatorGraphConfig:
        return _Expansion(context).graph


class _Expansion:
    def __init__(self, context: SubgraphContext) -> None:
        assert isinstance(context.options, SwitchContainerOptions)
        self.options = context.options
        self.context = context
        _check(context, self.options)
        self.graph = CalculatorGraphConfig()
        selection = self._selection()
        demux = self._switch("SwitchDemuxCalculator")
        nodes = [self._contained(node) for node in self.options.contained_node]
        mux = self._switch("SwitchMuxCalculator")
        for node in (demux, mux):
            node.input_stream.extend(selection)
            node.input_side_packet.extend(
                _said(key, f"gate_{key[0].lower()}")
                for key in context.input_side_packets
                if key[0] in SELECTORS
            )
        self._wire("input_stream", demux, nodes, context.inputs)
        self._wire("output_stream", mux, nodes, context.outputs)
        self._wire("input_side_packet", demux, nodes, context.input_side_packets)
        self._wire("output_side_packet", mux, nodes, context.output_side_packets)

    def _selection(self) -> list[str]:
        """The selecting stream, spread over all times by a PacketSequencerCalculator."""
        tags = [tag for tag in SELECTORS if tag in self.context.inputs.tags]
        for tag in tags:
            name = f"gate_{tag.lower()}"
            self.graph.input_stream.append(f"{tag}:{name}")
            sequencer = self.graph.node.add(calculator="PacketSequencerCalculator")
            sequencer.input_stream.append(f"INPUT:{name}")
            for index, key in enumerate(self._ticks()):
                port = self.context.inputs[key]
                sequencer.input_stream.append(f"TICK:{index}:{port.name}")
            sequencer.output_stream.append(f"OUTPUT:{name}_timed")
            if not self.options.async_selection:
                handler = sequencer.input_stream_handler
                handler.input_stream_handler = "DefaultInputStreamHandler"
        return [f"{tag}:gate_{tag.lower()}_timed" for tag in tags]

    def _ticks(self) -> list[PortKey]:
        if self.options.tick_input_stream:
            return [parse_tag_index(text) for text in self.options.tick_input_stream]
        return [key for key in self.context.inputs if key[0] not in SELECTORS]

    def _switch(self, calculator: str) -> Any:
        node = self.graph.node.add(calculator=calculator)
        options = SwitchContainerOptions()
        options.CopyFrom(self.options)
        options.ClearField("contained_node")
        node.node_options.add().Pack(options)
        return node

    def _contained(self, node: Any) -> Any:
        added = self.graph.node.add()
        added.CopyFrom(node)
        return added

    def _wire(self, field: str, switch: Any, nodes: Iterable[Any], ports: TagMap) -> None:
        """Between the container's ports of one kind, its switch, and each contained node."""
        inwards = field.startswith("input")
        other_side = field.replace("input", "output") if inwards else field.replace("output", "input")
        for key, port in ports.items():
            if inwards and key[0] in SELECTORS:
                if field == "input_side_packet":
                    self.graph.input_side_packet.append(_said(key, f"gate_{key[0].lower()}"))
                continue
            getattr(self.graph, field).append(_said(key, port.name))
            getattr(switch, field).append(_said(key, port.name))
            for channel, node in enumerate(nodes):
                name = f"c{channel}__{port.name}"
                getattr(node, field).append(_said(key, name))
                tag, index = key
                getattr(switch, other_side).append(_said((channel_tag(tag, channel), index), name))


def _said(key: PortKey, name: str) -> str:
    tag, index = key
    return f"{tag}:{index}:{name}" if tag else name


def _check(context: SubgraphContext, options: SwitchContainerOptions) -> None:
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
