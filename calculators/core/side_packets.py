"""Side packets made of options, of strings, or of other side packets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.proto.core_calculators_pb2 import ConstantSidePacketCalculatorOptions
from calcgraph.proto.formats_pb2 import (
    ClassificationList,
    LandmarkList,
    MatrixData,
    TimeSeriesHeader,
)
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.errors import Code, status_error

_TYPES: Mapping[str, type] = {
    "int_value": int,
    "float_value": float,
    "bool_value": bool,
    "string_value": str,
    "uint64_value": int,
    "classification_list_value": ClassificationList,
    "landmark_list_value": LandmarkList,
    "double_value": float,
    "time_series_header_value": TimeSeriesHeader,
    "int64_value": int,
    "matrix_data_value": MatrixData,
    "string_vector_value": list,
}


class ConstantSidePacketCalculator(CoreCalculator):
    """PACKET:i is the i-th `packet` of the options."""

    options = ConstantSidePacketCalculatorOptions

    @classmethod
    def contract(cls, contract: Contract) -> None:
        count = contract.output_side_packets.count("PACKET")
        packets = contract.options.packet
        require(
            count == len(packets),
            "Number of output side packets has to be same as number of packets configured in options: "
            f"found {count} side packets, {len(packets)} packets",
        )
        for index, packet in enumerate(packets):
            kind = packet.WhichOneof("value")
            if kind is None:
                raise status_error(
                    Code.INVALID_ARGUMENT,
                    f"None of supported values were specified in options: packet {index} is empty, "
                    f"expected one of {', '.join(_TYPES)}",
                )
            contract.output_side_packets["PACKET", index].set(_TYPES[kind])

    def open(self, cc: CalculatorContext) -> None:
        for index, packet in enumerate(cc.options.packet):
            value = getattr(packet, packet.WhichOneof("value"))
            if packet.HasField("string_vector_value"):
                value = list(value.string_value)
            cc.output_side_packets["PACKET", index].set(value)


class DefaultSidePacketCalculator(CoreCalculator):
    """VALUE is OPTIONAL_VALUE if the application gives it, else DEFAULT_VALUE."""

    input_side_packets = {"DEFAULT_VALUE": Any}

    @classmethod
    def contract(cls, contract: Contract) -> None:
        default = contract.input_side_packets["DEFAULT_VALUE"]
        if "OPTIONAL_VALUE" in contract.input_side_packets:
            contract.input_side_packets["OPTIONAL_VALUE"].set_same_as(default).optional()
        contract.output_side_packets["VALUE"].set_same_as(default)

    def open(self, cc: CalculatorContext) -> None:
        sides = cc.input_side_packets
        given = "OPTIONAL_VALUE" if "OPTIONAL_VALUE" in sides else "DEFAULT_VALUE"
        cc.output_side_packets["VALUE"].set(sides[given])


_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)


class StringToIntCalculator(CoreCalculator):
    """The side packet's text as a number of 32 bits; INVALID_ARGUMENT for any other text."""

    input_side_packets = {"": str}
    output_side_packets = {"": int}
    bits: ClassVar = 32
    signed: ClassVar = True

    def open(self, cc: CalculatorContext) -> None:
        text = cc.input_side_packets[0].value
        low, high = _range(self.bits, self.signed)
        well_formed = _INTEGER.fullmatch(text) and (self.signed or "-" not in text)
        if not well_formed or not low <= int(text) <= high:
            raise status_error(
                Code.INVALID_ARGUMENT,
                "The std::string could not be parsed as an integer: "
                f"found {text!r}, expected {low} to {high}",
            )
        cc.output_side_packets[0].set(int(text))


def _range(bits: int, signed: bool) -> tuple[int, int]:
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


class StringToUintCalculator(StringToIntCalculator):
    """The side packet's text as an unsigned number of 32 bits."""

    signed = False


class StringToInt64Calculator(StringToIntCalculator):
    """The side packet's text as a number of 64 bits."""

    bits = 64


class StringToUint64Calculator(StringToIntCalculator):
    """The side packet's text as an unsigned number of 64 bits."""

    bits = 64
    signed = False
