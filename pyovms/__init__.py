"""The tensors of Python nodes, under the name by which handlers written for OpenVINO Model Server import them.

from pyovms import Tensor
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

__all__ = ["Tensor"]

_DATATYPES: Final = {
    "?": "BOOL",
    "B": "UINT8",
    "H": "UINT16",
    "I": "UINT32",
    "L": "UINT64",
    "Q": "UINT64",
    "b": "INT8",
    "h": "INT16",
    "i": "INT32",
    "l": "INT64",
    "q": "INT64",
    "e": "FP16",
    "f": "FP32",
    "d": "FP64",
}
"""KServe's datatype by the format character of a buffer."""


class Tensor(np.ndarray[Any, np.dtype[Any]]):
    """A name, a shape and a datatype over a buffer that belongs to somebody else.

    It exports that buffer: `memoryview(tensor)`, `bytes(tensor)` and `np.array(tensor)` read it without a
    copy of the data before. Before Python 3.12 only classes of C can do so, hence the base class; arithmetic
    and slices give plain arrays.

    `shape` and `datatype` say what the sender meant, and may differ from what the buffer is: a tensor of
    datatype BYTES is a buffer of format "B", whose elements stand behind their 4-byte lengths.
    """

    __array_priority__ = -1.0

    def __new__(
        cls, name: str, data: Any, shape: Sequence[int] | None = None, datatype: str | None = None
    ) -> Tensor:
        """`data` is an object with the buffer protocol: bytes, an array of numpy or of another library.

        Raises TypeError for one without, and for an array of Python objects.
        """
        array = np.asarray(data if isinstance(data, np.ndarray) else memoryview(data))
        if array.dtype.hasobject:
            raise TypeError(
                f"tensor {name!r}: an array of Python objects has no buffer that can be sent; "
                "make bytes of it, for example with tritonclient's serialize_byte_tensor"
            )
        self = array.view(cls)
        self._name = str(name)
        self._shape = None if shape is None else tuple(int(size) for size in shape)
        self._datatype = None if datatype is None else str(datatype)
        return self

    def __array_finalize__(self, source: Any) -> None:
        self._name = ""
        self._shape: tuple[int, ...] | None = None
        self._datatype: str | None = None

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain

    def __getitem__(self, key: Any) -> Any:
        return self.view(np.ndarray)[key]

    @property
    def name(self) -> str:
        """That of the input or output stream."""
        return self._name

    @property  # type: ignore[misc]
    def shape(self) -> tuple[int, ...]:
        """What the sender said, or the buffer's."""
        return super().shape if self._shape is None else self._shape

    @property
    def datatype(self) -> str:
        """What the sender said, or KServe's word for the buffer's format, or that format."""
        if self._datatype is not None:
            return self._datatype
        format = self.data.format
        return _DATATYPES.get(format, format)

    @property
    def data(self) -> memoryview:
        """The buffer as it is."""
        return super().data

    @property
    def size(self) -> int:
        """Bytes of the buffer."""
        return self.data.nbytes

    def __repr__(self) -> str:
        return f"Tensor({self.name!r}, shape={self.shape}, datatype={self.datatype!r})"

    __str__ = __repr__
