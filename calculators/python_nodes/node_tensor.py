"""What travels between Python nodes, and between them and the server."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

import pyovms
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import RawTensor
from calcgraph.runtime.tensors import DATATYPES

_OPAQUE: Final = ("BYTES", "BF16")
"""Datatypes for which the buffer protocol has no format; like a word nobody knows, they are rows of bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeTensor(RawTensor):
    """A tensor that a Python node made. The next one gets the very same, the server its bytes."""

    tensor: pyovms.Tensor

    @classmethod
    def of(cls, tensor: pyovms.Tensor) -> NodeTensor:
        return cls(tensor.name, tensor.datatype, tensor.shape, tensor.data.tobytes(), tensor)


def to_node(tensor: RawTensor) -> pyovms.Tensor:
    """As a handler sees it. Raises RequestError for bytes that are more or fewer than the shape asks for."""
    if isinstance(tensor, NodeTensor):
        return tensor.tensor
    datatype = DATATYPES.get(tensor.datatype)
    if datatype is None or tensor.datatype in _OPAQUE:
        return pyovms.Tensor(tensor.name, tensor.raw, tensor.shape, tensor.datatype)
    expected = math.prod(tensor.shape) * datatype.size
    if len(tensor.raw) != expected:
        raise RequestError(
            f"Input '{tensor.name}' has {len(tensor.raw)} bytes where its datatype {tensor.datatype} and "
            f"its shape {list(tensor.shape)} ask for {expected}.",
            param=tensor.name,
        )
    array = np.frombuffer(tensor.raw, datatype.dtype).reshape(tensor.shape)
    return pyovms.Tensor(tensor.name, array, tensor.shape, tensor.datatype)
