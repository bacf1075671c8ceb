"""What the core calculators share: they take microseconds, and few take options."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from google.protobuf.message import Message

from calcgraph.proto.options_pb2 import CalculatorOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext, Ports
from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.packet import Packet

M = TypeVar("M", bound=Message)

OPTIONS = "OPTIONS"
"""The tag of a side packet or stream whose options are merged over the node's own."""


class CoreCalculator(Calculator):
    """Runs where its packets come from, and takes no options unless it says so."""

    light = True
    options: ClassVar[type[Message] | None] = None


def require(condition: object, message: str) -> None:
    """Raises INTERNAL, which is what MediaPipe's RET_CHECK answers, unless the condition holds."""
    if not condition:
        raise status_error(Code.INTERNAL, message)


def copy_headers(cc: CalculatorContext) -> None:
    """Give each output the header of the input of the same tag and index."""
    for key in cc.inputs:
        if key in cc.outputs and cc.inputs.header(key):
            cc.outputs[key].set_header(cc.inputs.header(key))


def merged_options(options: M, packets: Ports[Packet]) -> M:
    """The node's options, overridden by those of a packet tagged OPTIONS if there is one."""
    if OPTIONS not in packets or not packets[OPTIONS]:
        return options
    given: Any = packets[OPTIONS].value
    if isinstance(given, CalculatorOptions):
        given = given.Extensions[type(options).ext]  # type: ignore[attr-defined]
    both = type(options)()
    both.CopyFrom(options)
    both.MergeFrom(given)
    return both
