"""From the tensors of Python nodes to arrays of numbers and back, as in OVMS."""

from __future__ import annotations

from typing import Final

import numpy as np

import pyovms
from calcgraph.calculators.python_nodes.node_tensor import NodeTensor, to_node
from calcgraph.proto.ovms_pb2 import PyTensorOvTensorConverterCalculatorOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.errors import Code, RequestError, status_error
from calcgraph.runtime.payload import RawTensor
from calcgraph.runtime.tensors import DATATYPES

_NUMBERS: Final = "OVTENSOR"
_PYTHON: Final = "OVMS_PY_TENSOR"


class PyTensorOvTensorConverterCalculator(Calculator):
    """OVTENSOR in and OVMS_PY_TENSOR out, or the other way round."""

    options = PyTensorOvTensorConverterCalculatorOptions
    stateless = True
    light = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        tags = [*contract.inputs.tags(), *contract.outputs.tags()]
        if sorted(tags) != sorted((_NUMBERS, _PYTHON)) or len(contract.inputs) != 1:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"expected one input and one output, of which one is {_NUMBERS} and one {_PYTHON}",
            )
        for ports in (contract.inputs, contract.outputs):
            for tag, index in ports:
                ports[tag, index].set(np.ndarray if tag == _NUMBERS else RawTensor)
        if _PYTHON in contract.outputs.tags() and not _name(contract.options):
            raise status_error(
                Code.INVALID_ARGUMENT,
                f'tag_to_output_tensor_names needs the key "{_PYTHON}": what the tensor is called',
            )

    def process(self, cc: CalculatorContext) -> None:
        if _NUMBERS in cc.inputs:
            tensor = pyovms.Tensor(_name(cc.options), cc.inputs[_NUMBERS].value)
            cc.outputs[_PYTHON].add(NodeTensor.of(tensor))
        else:
            cc.outputs[_NUMBERS].add(_array(cc.inputs[_PYTHON].value))


def _name(options: PyTensorOvTensorConverterCalculatorOptions) -> str:
    return options.tag_to_output_tensor_names.get(_PYTHON, "")


def _array(tensor: RawTensor) -> np.ndarray:
    """Of the shape and datatype that the tensor says, which need not be those of its buffer."""
    datatype = DATATYPES.get(tensor.datatype)
    if datatype is None or datatype.dtype.hasobject or tensor.datatype == "BF16":
        raise RequestError(
            f"The tensor '{tensor.name}' has the datatype {tensor.datatype}, which is no array of numbers."
        )
    plain = RawTensor(tensor.name, tensor.datatype, tensor.shape, tensor.raw)
    return np.array(to_node(plain))
