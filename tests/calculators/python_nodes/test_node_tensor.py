"""Tensors on their way into a Python node and out of it."""

import struct

import numpy as np
import pytest

from calcgraph.calculators.python_nodes.node_tensor import NodeTensor, to_node
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import RawTensor
from pyovms import Tensor


def test_numbers_are_a_buffer_of_their_shape_and_format() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensor = to_node(RawTensor("x", "FP32", (2, 3), array.tobytes()))
    assert (tensor.name, tensor.shape, tensor.datatype) == ("x", (2, 3), "FP32")
    assert (tensor.data.shape, tensor.data.format) == ((2, 3), "f")
    assert np.array_equal(np.array(tensor), array)


@pytest.mark.parametrize("datatype", ["BYTES", "my_string", "BF16"])
def test_what_has_no_format_is_a_row_of_bytes(datatype: str) -> None:
    raw = struct.pack("<I", 1) + b"a" + struct.pack("<I", 0)
    tensor = to_node(RawTensor("x", datatype, (2,), raw))
    assert (tensor.shape, tensor.datatype) == ((2,), datatype)
    assert (tensor.data.shape, tensor.data.format) == ((9,), "B")
    assert bytes(tensor) == raw


@pytest.mark.parametrize("shape", [(), (0, 3)])
def test_a_tensor_may_be_a_scalar_or_empty(shape: tuple[int, ...]) -> None:
    array = np.ones(shape, np.int64)
    assert np.array(to_node(RawTensor("x", "INT64", shape, array.tobytes()))).shape == shape


def test_bytes_that_do_not_fill_the_shape_are_refused() -> None:
    with pytest.raises(RequestError, match=r"'x' has 3 bytes where .* \[2\] ask for 8"):
        to_node(RawTensor("x", "FP32", (2,), b"abc"))


def test_the_next_node_gets_the_very_tensor_and_the_server_its_bytes() -> None:
    tensor = Tensor("x", np.array([[1, 2], [3, 4]], np.int16).T)
    sent = NodeTensor.of(tensor)
    assert to_node(sent) is tensor
    assert (sent.name, sent.datatype, sent.shape) == ("x", "INT16", (2, 2))
    assert np.frombuffer(sent.raw, np.int16).tolist() == [1, 3, 2, 4]
