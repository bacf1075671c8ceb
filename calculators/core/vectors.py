"""Vectors: joined, split, clipped, counted. A vector is a list, a tuple or a numpy array."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import Any

import numpy as np

from calcgraph.calculators.core.base import CoreCalculator, require
from calcgraph.proto.core_calculators_pb2 import (
    ClipVectorSizeCalculatorOptions,
    ConcatenateVectorCalculatorOptions,
    GetVectorItemCalculatorOptions,
    Range,
    SplitVectorCalculatorOptions,
)
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional
from calcgraph.runtime.errors import Code, status_error

Vector = list[Any] | tuple[Any, ...] | np.ndarray


def joined(parts: Sequence[Any]) -> Any:
    """One vector after the other: an array if all are arrays, else a list."""
    if parts and all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(parts)
    return list(chain.from_iterable(parts))


class ConcatenateVectorCalculator(CoreCalculator):
    """Joins the inputs in order. An input that is no vector counts as one item."""

    inputs = {":*": Any}
    outputs = {"": Vector}
    options = ConcatenateVectorCalculatorOptions

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(len(contract.inputs) > 0, "needs at least one input stream")
        require(len(contract.outputs) == 1, "has one output stream")

    def open(self, cc: CalculatorContext) -> None:
        self.all_or_nothing = cc.options.only_emit_if_all_present

    def process(self, cc: CalculatorContext) -> None:
        packets = cc.inputs.values()
        if self.all_or_nothing and not all(packets):
            return
        values = [packet.value for packet in packets if packet]
        vectors = [
            value if isinstance(value, list | tuple | np.ndarray) else [value] for value in values
        ]
        cc.outputs[0].add(joined(vectors))


class MergeToVectorCalculator(CoreCalculator):
    """A list of the packets' values at each time, without those that are empty."""

    inputs = {":*": Any}
    outputs = {"": list}

    @classmethod
    def contract(cls, contract: Contract) -> None:
        require(contract.inputs.count() > 0, "Needs at least one input stream")

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs[0].add([packet.value for packet in cc.inputs.values() if packet])


class SplitVectorCalculator(CoreCalculator):
    """Sends each of the `ranges` of a vector to the output of the same number.

    With `element_only` the ranges hold one item each, which goes out bare. With `combine_outputs` all
    ranges go to one output, as one vector.
    """

    inputs = {"": Vector}
    options = SplitVectorCalculatorOptions

    @classmethod
    def contract(cls, contract: Contract) -> None:
        options = contract.options
        require(len(contract.inputs) == 1, "needs one input stream")
        require(len(contract.outputs) > 0, "needs at least one output stream")
        if options.combine_outputs:
            require(len(contract.outputs) == 1, "with combine_outputs there is one output stream")
            _check_apart(options.ranges)
        elif len(contract.outputs) != len(options.ranges):
            raise _wrong(
                "The number of output streams should match the number of ranges specified in the "
                f"CalculatorOptions: found {len(contract.outputs)} streams, {len(options.ranges)} ranges"
            )
        else:
            _check_ranges(options)
        kind = Any if options.element_only and not options.combine_outputs else Vector
        for spec in contract.outputs.connected:
            spec.set(kind)

    def open(self, cc: CalculatorContext) -> None:
        options = cc.options
        self.slices = [slice(each.begin, each.end) for each in options.ranges]
        self.needed = max((each.end for each in options.ranges), default=0)
        self.combine = options.combine_outputs
        self.element_only = options.element_only

    def process(self, cc: CalculatorContext) -> None:
        if not cc.inputs[0]:
            return
        vector = cc.inputs[0].value
        require(
            len(vector) >= self.needed,
            f"the vector at {cc.timestamp} has {len(vector)} items, the ranges need {self.needed}",
        )
        parts = [vector[each] for each in self.slices]
        if self.combine:
            cc.outputs[0].add(joined(parts))
            return
        for output, part in zip(cc.outputs.values(), parts, strict=True):
            output.add(part[0] if self.element_only else part)


def _check_ranges(options: SplitVectorCalculatorOptions) -> None:
    for each in options.ranges:
        if not 0 <= each.begin < each.end:
            raise _wrong(
                "Indices should be non-negative and begin index should be less than the end index, "
                f"found {each.begin} to {each.end}"
            )
        if options.element_only and each.end - each.begin != 1:
            raise _wrong(
                "Since element_only is true, all ranges should be of size 1, "
                f"found {each.begin} to {each.end}"
            )


def _check_apart(ranges: Sequence[Range]) -> None:
    for one, other in combinations(ranges, 2):
        require(
            one.end <= other.begin or other.end <= one.begin,
            "Ranges must be non-overlapping when using combine_outputs option: found "
            f"{one.begin} to {one.end} and {other.begin} to {other.end}",
        )


def _wrong(message: str) -> Exception:
    return status_error(Code.INVALID_ARGUMENT, message)


class ClipVectorSizeCalculator(CoreCalculator):
    """The first `max_vec_size` items of a vector; the size may come as a side packet."""

    inputs = {"": Vector}
    outputs = {"": Vector}
    input_side_packets = {"": optional(int)}
    options = ClipVectorSizeCalculatorOptions

    @classmethod
    def contract(cls, contract: Contract) -> None:
        _check_size(contract.options.max_vec_size)

    def open(self, cc: CalculatorContext) -> None:
        self.size = cc.options.max_vec_size
        if 0 in cc.input_side_packets:
            self.size = cc.input_side_packets[0].value

    def process(self, cc: CalculatorContext) -> None:
        _check_size(self.size)
        if cc.inputs[0]:
            cc.outputs[0].add(cc.inputs[0].value[: self.size])


def _check_size(size: int) -> None:
    require(size >= 1, f"max_vec_size should be greater than or equal to 1, found {size}")


class GetVectorItemCalculator(CoreCalculator):
    """ITEM is the item of VECTOR that the stream INDEX names, or else the option `item_index`.

    An index out of bounds is an error, unless `output_empty_on_oob`.
    """

    inputs = {"VECTOR": Vector, "INDEX": optional(int)}
    outputs = {"ITEM": Any}
    options = GetVectorItemCalculatorOptions

    def open(self, cc: CalculatorContext) -> None:
        options = cc.options
        self.index = options.item_index if options.HasField("item_index") else None
        self.by_stream = "INDEX" in cc.inputs
        require(
            self.by_stream or self.index is not None,
            "needs an INDEX stream or the option item_index",
        )
        self.silent = options.output_empty_on_oob

    def process(self, cc: CalculatorContext) -> None:
        if not cc.inputs["VECTOR"]:
            return
        items = cc.inputs["VECTOR"].value
        by_packet = self.by_stream and cc.inputs["INDEX"]
        index = cc.inputs["INDEX"].value if by_packet else self.index
        if index is None:
            return
        if 0 <= index < len(items):
            cc.outputs["ITEM"].add(items[index])
        else:
            require(self.silent, f"index {index} is outside of a vector of {len(items)} items")


class VectorSizeCalculator(CoreCalculator):
    """SIZE is the number of items of VECTOR."""

    inputs = {"VECTOR": Vector}
    outputs = {"SIZE": int}

    def process(self, cc: CalculatorContext) -> None:
        if cc.inputs["VECTOR"]:
            cc.outputs["SIZE"].add(len(cc.inputs["VECTOR"].value))


class VectorIndicesCalculator(CoreCalculator):
    """INDICES is 0, 1, ... up to the last index of VECTOR."""

    inputs = {"VECTOR": Vector}
    outputs = {"INDICES": list}

    def process(self, cc: CalculatorContext) -> None:
        if cc.inputs["VECTOR"]:
            cc.outputs["INDICES"].add(list(range(len(cc.inputs["VECTOR"].value))))
