"""OpenVINO's element types and the datatypes of the Open Inference Protocol, and tensors of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import openvino as ov

from calcgraph.runtime.payload import Tensor

DATATYPES: Final[Mapping[str, str]] = {
    "boolean": "BOOL",
    "u8": "UINT8",
    "u16": "UINT16",
    "u32": "UINT32",
    "u64": "UINT64",
    "i8": "INT8",
    "i16": "INT16",
    "i32": "INT32",
    "i64": "INT64",
    "f16": "FP16",
    "bf16": "BF16",
    "f32": "FP32",
    "f64": "FP64",
    "string": "BYTES",
}
"""By the name of OpenVINO's type. Types of fewer than 8 bits and of 8-bit floats have no word there."""

_TYPES: Final = {datatype: name for name, datatype in DATATYPES.items()}


def datatype_of(port: Any) -> str:
    """The datatype of a model's input or output. Raises ValueError for a type no client can send."""
    name = port.get_element_type().get_type_name()
    if name not in DATATYPES:
        raise ValueError(
            f"'{port.get_any_name()}' has the type {name}, for which clients have no word; "
            f"expected one of {', '.join(DATATYPES)}"
        )
    return DATATYPES[name]


def to_openvino(tensor: Tensor) -> ov.Tensor:
    """A tensor of its own memory: nothing of the request is shared with OpenVINO."""
    if tensor.datatype == "BYTES":
        return _strings(tensor)
    array = np.ascontiguousarray(tensor.data)
    if tensor.datatype == "BF16":
        # numpy has no bfloat16, and OpenVINO shows its memory as float16: the bits are what counts.
        made = ov.Tensor(ov.Type.bf16, ov.Shape(list(tensor.shape)))
        made.data.view(np.uint16)[...] = array
        return made
    made = ov.Tensor(getattr(ov.Type, _TYPES[tensor.datatype]), ov.Shape(list(tensor.shape)))
    made.data[...] = array
    return made


def _strings(tensor: Tensor) -> ov.Tensor:
    if not tensor.data.size:
        return ov.Tensor(ov.Type.string, ov.Shape(list(tensor.shape)))
    made = ov.Tensor(tensor.data.reshape(-1).tolist())
    made.shape = ov.Shape(list(tensor.shape))
    return made


def from_openvino(name: str, tensor: ov.Tensor) -> Tensor:
    """A copy, since the next inference writes into the same memory."""
    datatype = DATATYPES[tensor.element_type.get_type_name()]
    if datatype == "BYTES":
        return Tensor(name, datatype, _elements(tensor))
    if datatype == "BF16":
        return Tensor(name, datatype, tensor.data.view(np.uint16).copy())
    return Tensor(name, datatype, tensor.data.copy())


def _elements(tensor: ov.Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    """OpenVINO's Python shows strings as an array of fixed width, without zero bytes at their ends."""
    shape = tuple(tensor.shape)
    elements = np.empty(int(np.prod(shape)), np.object_)
    if elements.size:
        elements[:] = [bytes(each) for each in tensor.bytes_data.reshape(-1)]
    return elements.reshape(shape)
