"""Tensors as the Open Inference Protocol spells them: datatypes, values, raw bytes.

The checks live here, so that REST and gRPC refuse the same requests with the same sentence. All of them
raise RequestError with the tensor's name as `param`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.payload import RawTensor, Tensor

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Datatype:
    """One datatype: its numpy form, what JSON may spell it with, and its field in gRPC's contents."""

    name: str
    dtype: np.dtype[Any]
    json: frozenset[type]
    contents: str | None

    @property
    def size(self) -> int:
        """Bytes an element; 0 for BYTES, whose elements vary."""
        return 0 if self.dtype.hasobject else self.dtype.itemsize


def _datatype(name: str, dtype: Any, json: Sequence[type], contents: str | None) -> Datatype:
    return Datatype(name, np.dtype(dtype), frozenset(json), contents)


DATATYPES: Final[Mapping[str, Datatype]] = {
    datatype.name: datatype
    for datatype in (
        _datatype("BOOL", np.bool_, [bool], "bool_contents"),
        _datatype("UINT8", "<u1", [int], "uint_contents"),
        _datatype("UINT16", "<u2", [int], "uint_contents"),
        _datatype("UINT32", "<u4", [int], "uint_contents"),
        _datatype("UINT64", "<u8", [int], "uint64_contents"),
        _datatype("INT8", "<i1", [int], "int_contents"),
        _datatype("INT16", "<i2", [int], "int_contents"),
        _datatype("INT32", "<i4", [int], "int_contents"),
        _datatype("INT64", "<i8", [int], "int64_contents"),
        _datatype("FP16", "<f2", [], None),
        # numpy has no bfloat16: its 16 bits travel as they are.
        _datatype("BF16", "<u2", [], None),
        _datatype("FP32", "<f4", [int, float], "fp32_contents"),
        _datatype("FP64", "<f8", [int, float], "fp64_contents"),
        _datatype("BYTES", np.object_, [str], "bytes_contents"),
    )
}


def datatype_of(tensor: str, name: object) -> Datatype:
    """The datatype that an input names."""
    if isinstance(name, str) and name in DATATYPES:
        return DATATYPES[name]
    found = f"{name!r:.80}"
    hint = did_you_mean(found.strip("'"), DATATYPES) or f"; it is one of {', '.join(DATATYPES)}"
    raise RequestError(f"Input '{tensor}' has an unknown datatype {found}{hint}", param=tensor)


def shape_of(tensor: str, shape: Sequence[object]) -> tuple[int, ...]:
    """A shape that is made of sizes; no dimensions is a scalar, a size of 0 an empty tensor."""
    for size in shape:
        if type(size) is not int or size < 0:
            raise RequestError(
                f"Input '{tensor}' has a shape of {list(shape)}; every dimension is an integer >= 0.",
                param=tensor,
            )
    return tuple(shape)  # type: ignore[arg-type]


DATATYPE_OF: Final[Mapping[np.dtype[Any], str]] = {
    datatype.dtype: name for name, datatype in DATATYPES.items() if name != "BF16"
}
"""The datatype's name by its numpy form."""


def from_values(
    tensor: str, datatype: Datatype, shape: tuple[int, ...], values: Sequence[Any]
) -> Tensor:
    """A tensor of Python numbers or bytes, in row-major order, of types that the caller checked."""
    count = math.prod(shape)
    if len(values) != count:
        raise RequestError(
            f"Input '{tensor}' has {len(values)} values where its shape {list(shape)} asks for {count}.",
            param=tensor,
        )
    try:
        array = _array(datatype, values)
    except (OverflowError, FloatingPointError):
        raise RequestError(
            f"Input '{tensor}' has a value that {datatype.name} cannot hold.", param=tensor
        ) from None
    return Tensor(tensor, datatype.name, _shaped(tensor, array, shape))


def _array(datatype: Datatype, values: Sequence[Any]) -> Array:
    if datatype.dtype.kind == "f":
        with np.errstate(over="raise"):
            return np.array(values, np.float64).astype(datatype.dtype)
    if datatype.dtype.hasobject:
        array = np.empty(len(values), np.object_)
        array[:] = values
        return array
    return np.array(values, datatype.dtype)


def from_raw(tensor: str, datatype: Datatype, shape: tuple[int, ...], raw: bytes) -> Tensor:
    """A tensor of little-endian bytes; BYTES elements stand behind their 4-byte lengths."""
    count = math.prod(shape)
    if not datatype.size:
        return from_values(tensor, datatype, shape, split_bytes(tensor, raw))
    if len(raw) != count * datatype.size:
        raise RequestError(
            f"Input '{tensor}' has {len(raw)} bytes where its datatype {datatype.name} and its shape "
            f"{list(shape)} ask for {count * datatype.size}.",
            param=tensor,
        )
    return Tensor(tensor, datatype.name, _shaped(tensor, np.frombuffer(raw, datatype.dtype), shape))


def _shaped(tensor: str, array: Array, shape: tuple[int, ...]) -> Array:
    try:
        return array.reshape(shape)
    except ValueError:  # an empty tensor may still name sizes, or a number of them, beyond numpy's
        raise RequestError(
            f"Input '{tensor}' has a shape that is too large: {list(shape)}.", param=tensor
        ) from None


def split_bytes(tensor: str, raw: bytes) -> list[bytes]:
    """The elements of a BYTES tensor: each is a little-endian uint32 and that many bytes."""
    elements: list[bytes] = []
    at = 0
    while at < len(raw):
        start = at + 4
        at = start + int.from_bytes(raw[at:start], "little")
        if start > len(raw) or at > len(raw):
            raise RequestError(
                f"Input '{tensor}' ends within its element {len(elements)}: "
                "a BYTES element is a 4-byte little-endian length and that many bytes.",
                param=tensor,
            )
        elements.append(raw[start:at])
    return elements


def decoded(tensor: Tensor | RawTensor) -> Tensor:
    """The tensor with its bytes made into values; its datatype must be one that is known."""
    if isinstance(tensor, Tensor):
        return tensor
    datatype = datatype_of(tensor.name, tensor.datatype)
    return from_raw(tensor.name, datatype, tensor.shape, tensor.raw)


def to_raw(tensor: Tensor | RawTensor) -> bytes:
    """The bytes that `from_raw` reads."""
    if isinstance(tensor, RawTensor):
        return tensor.raw
    datatype = DATATYPES[tensor.datatype]
    if not datatype.size:
        return b"".join(struct.pack("<I", len(e)) + e for e in tensor.data.reshape(-1).tolist())
    return tensor.data.astype(datatype.dtype, copy=False).tobytes()
