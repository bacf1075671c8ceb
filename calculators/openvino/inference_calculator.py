"""An inference within a graph, by the session of a served model, as in OVMS.

The tag of a stream says what its packets hold: one array (OVTENSOR, TENSOR, TFTENSOR, any other or none),
or a list of arrays (OVTENSORS, TENSORS and the like) in the order of `input_order_list`. It is also the
name of the model's input or output, unless `tag_to_input_tensor_names` and its like say another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from calcgraph.calculators.openvino.session_calculator import Arrays, ServedModel
from calcgraph.proto.ovms_pb2 import OpenVINOInferenceCalculatorOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.errors import Code, status_error

_LISTS: Final = ("OVTENSORS", "TENSORS", "TFTENSORS")


class OpenVINOInferenceCalculator(Calculator):
    """Needs all its inputs at a time."""

    input_side_packets = {"SESSION": ServedModel}
    options = OpenVINOInferenceCalculatorOptions
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        options: OpenVINOInferenceCalculatorOptions = contract.options
        for kind, ports, names in (
            ("input", contract.inputs, options.tag_to_input_tensor_names),
            ("output", contract.outputs, options.tag_to_output_tensor_names),
        ):
            if not len(ports):
                raise _wrong(f"expected an {kind} stream")
            for tag in names:
                if tag not in ports.tags():
                    raise _wrong(
                        f"tag_to_{kind}_tensor_names has the tag {tag!r}, and the node no such {kind}"
                    )
            for tag, index in ports:
                ports[tag, index].set(list if _is_list(tag) else np.ndarray)
        if any(_is_list(tag) for tag in contract.inputs.tags()) and not options.input_order_list:
            raise _wrong("input_order_list has to name the inputs that the list stands for")

    def open(self, cc: CalculatorContext) -> None:
        self.session: ServedModel = cc.input_side_packets["SESSION"].value

    async def process(self, cc: CalculatorContext) -> None:
        options: OpenVINOInferenceCalculatorOptions = cc.options
        outputs = await self.session.infer(dict(_inputs(cc, options)))
        for tag, index in cc.outputs:
            if _is_list(tag):
                names = list(options.output_order_list) or list(outputs)
                value: Any = [self._output(outputs, name) for name in names]
            else:
                name = options.tag_to_output_tensor_names.get(tag, tag)
                value = self._output(outputs, name)
            cc.outputs[tag, index].add(value)

    def _output(self, outputs: Arrays, name: str) -> Any:
        if name not in outputs:
            raise ValueError(
                f"the model '{self.session.name}' has no output '{name}'; it has {', '.join(outputs)}"
            )
        return outputs[name]


def _inputs(
    cc: CalculatorContext, options: OpenVINOInferenceCalculatorOptions
) -> Iterator[tuple[str, Any]]:
    for (tag, _), packet in zip(cc.inputs, cc.inputs.values(), strict=True):
        if packet.is_empty():
            raise ValueError(f"input {tag!r} has no packet at {cc.timestamp}; all are needed")
        if not _is_list(tag):
            yield options.tag_to_input_tensor_names.get(tag, tag), packet.value
            continue
        yield from _listed(options.input_order_list, packet.value)


def _listed(names: Sequence[str], arrays: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    if len(arrays) != len(names):
        raise ValueError(
            f"input_order_list names {len(names)} tensors, the packet has {len(arrays)}"
        )
    yield from zip(names, arrays, strict=True)


def _is_list(tag: str) -> bool:
    return tag.startswith(_LISTS)


def _wrong(what: str) -> Exception:
    return status_error(Code.INVALID_ARGUMENT, what)
