"""The tensor that handlers of Python nodes read and make, as they know it from OVMS."""

import struct
from typing import Any

import numpy as np
import pytest

from pyovms import Tensor

DATATYPES = {
    "?": "BOOL",
    "u1": "UINT8",
    "u2": "UINT16",
    "u4": "UINT32",
    "u8": "UINT64",
    "i1": "INT8",
    "i2": "INT16",
    "i4": "INT32",
    "i8": "INT64",
    "f2": "FP16",
    "f4": "FP32",
    "f8": "FP64",
}


@pytest.mark.parametrize(("dtype", "datatype"), DATATYPES.items())
def test_an_array_keeps_its_shape_format_and_strides(dtype: str, datatype: str) -> None:
    array = np.ones((1, 3, 5, 4), dtype)
    tensor = Tensor("input", array)
    assert (tensor.name, tensor.shape, tensor.datatype) == ("input", array.shape, datatype)
    assert tensor.size == array.nbytes
    for attribute in ("shape", "format", "itemsize", "strides"):
        assert getattr(tensor.data, attribute) == getattr(array.data, attribute)
    assert tensor.data == array.data


@pytest.mark.parametrize("words", ["one", ["some", "more", "words"]])
def test_an_array_of_strings_has_its_format_for_a_datatype(words: Any) -> None:
    array = np.array(words)
    tensor = Tensor("input", array)
    assert tensor.shape == array.shape
    assert tensor.datatype == tensor.data.format == array.data.format
    assert tensor.data.tobytes() == array.data.tobytes()


def test_bytes_are_a_row_of_uint8() -> None:
    tensor = Tensor("input", "grün".encode())
    assert (tensor.shape, tensor.datatype, tensor.size) == ((5,), "UINT8", 5)
    assert (tensor.data.format, tensor.data.strides) == ("B", (1,))
    assert bytes(tensor) == tensor.data.tobytes() == "grün".encode()
    assert bytes(tensor).decode() == "grün"


@pytest.mark.parametrize("data", [b"", bytearray(b"ab"), memoryview(b"ab"), np.float32(3)])
def test_whatever_has_a_buffer_will_do(data: Any) -> None:
    assert bytes(Tensor("x", data)) == bytes(data)


def test_numpy_reads_it_as_it_reads_any_buffer() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensor = Tensor("x", array)
    for read in (np.array(tensor), np.asarray(tensor), np.array(tensor.data)):
        assert type(read) is np.ndarray
        assert np.array_equal(read, array)
    assert np.array_equal(np.frombuffer(tensor, np.float32), array.reshape(-1))
    assert np.array_equal(np.frombuffer(tensor.data, np.float32), array.reshape(-1))


def test_the_buffer_is_shared_and_not_copied() -> None:
    array = np.zeros(3, np.int32)
    tensor = Tensor("x", array)
    array[1] = 7
    assert tensor.data.tolist() == [0, 7, 0]


def test_shape_and_datatype_may_say_what_the_buffer_does_not_know() -> None:
    serialized = b"".join(struct.pack("<I", len(word)) + word for word in (b"a", b"bcd"))
    tensor = Tensor("x", serialized, [2], "BYTES")
    assert (tensor.shape, tensor.datatype) == ((2,), "BYTES")
    assert (tensor.data.shape, tensor.data.format, tensor.size) == ((12,), "B", 12)
    assert bytes(tensor) == serialized
    assert np.array(tensor).shape == (12,)


def test_arithmetic_and_slices_give_plain_arrays() -> None:
    tensor = Tensor("x", np.array([1, 2], np.float32), shape=(2, 1))
    assert type(tensor + 1) is type(tensor[:1]) is np.ndarray
    assert (tensor + 1).tolist() == [2, 3]
    assert float(np.sum(tensor)) == 3
    assert tensor[1] == 2


def test_what_has_no_buffer_is_refused() -> None:
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
        Tensor("x", "text")
    with pytest.raises(TypeError, match="tensor 'x': an array of Python objects has no buffer"):
        Tensor("x", np.array([b"a", None], object))


def test_it_says_what_it_is() -> None:
    tensor = Tensor("x", b"ab", datatype="my_type")
    assert repr(tensor) == str(tensor) == "Tensor('x', shape=(2,), datatype='my_type')"
