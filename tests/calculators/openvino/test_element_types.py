"""Tensors on their way into OpenVINO and out of it."""

from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from calcgraph.calculators.openvino.element_types import (
    DATATYPES,
    datatype_of,
    from_openvino,
    to_openvino,
)
from calcgraph.runtime.payload import Tensor


def array(datatype: str) -> np.ndarray[Any, Any]:
    if datatype == "BYTES":
        made = np.empty((2, 1), np.object_)
        made[:, 0] = ["grün".encode(), b"\xff\x00\xfe"]
        return made
    if datatype == "BF16":
        return np.array([[0x3F80], [0xFFC0]], np.uint16)
    names = {"FP16": "f2", "FP32": "f4", "FP64": "f8", "BOOL": "?"}
    word = names.get(datatype) or datatype.lower()
    return np.array([[0], [1]], word)


@pytest.mark.parametrize("datatype", DATATYPES.values())
def test_a_tensor_comes_back_as_it_went_in(datatype: str) -> None:
    sent = Tensor("x", datatype, array(datatype))
    back = from_openvino("x", to_openvino(sent))
    assert (back.name, back.datatype, back.shape) == ("x", datatype, sent.shape)
    assert back.data.tolist() == sent.data.tolist()


@pytest.mark.parametrize("shape", [(), (0, 3), (2, 0)])
@pytest.mark.parametrize("datatype", ["FP32", "BYTES", "BF16"])
def test_a_tensor_may_be_a_scalar_or_empty(datatype: str, shape: tuple[int, ...]) -> None:
    data = np.empty(shape, array(datatype).dtype)
    data[...] = b"x" if datatype == "BYTES" else 1
    back = from_openvino("x", to_openvino(Tensor("x", datatype, data)))
    assert back.shape == shape
    assert back.data.tolist() == data.tolist()


def test_a_tensor_that_is_not_contiguous_is_copied_in_its_order() -> None:
    data = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert np.array_equal(from_openvino("x", to_openvino(Tensor("x", "FP32", data))).data, data)


def test_nothing_is_shared_with_what_came_or_goes() -> None:
    data = np.ones(2, np.float32)
    inside = to_openvino(Tensor("x", "FP32", data))
    back = from_openvino("x", inside)
    inside.data[:] = 7
    assert data.tolist() == back.data.tolist() == [1, 1]


def test_a_type_that_no_client_can_send_is_told() -> None:
    port = op.parameter([2], ov.Type.u4)
    port.output(0).set_names({"x"})
    with pytest.raises(ValueError, match="'x' has the type u4, for which clients have no word"):
        datatype_of(port.output(0))
