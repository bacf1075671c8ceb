"""The dataflow core: graphs of calculators, in the way of MediaPipe."""

from calcgraph.runtime import packet_creator, packet_getter
from calcgraph.runtime.calculator import STOP, Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional, same_as
from calcgraph.runtime.errors import (
    CalculatorError,
    Code,
    GraphError,
    RequestError,
    RunError,
    StatusError,
)
from calcgraph.runtime.graph import CalculatorGraph, GraphInputStreamAddMode
from calcgraph.runtime.observers import OutputStreamPoller
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import Timestamp
from calcgraph.runtime.validated_graph_config import ValidatedGraphConfig

__all__ = [
    "STOP",
    "Calculator",
    "CalculatorContext",
    "CalculatorError",
    "CalculatorGraph",
    "Code",
    "Contract",
    "GraphError",
    "GraphInputStreamAddMode",
    "OutputStreamPoller",
    "Packet",
    "RequestError",
    "RunError",
    "StatusError",
    "Timestamp",
    "ValidatedGraphConfig",
    "optional",
    "packet_creator",
    "packet_getter",
    "same_as",
]
