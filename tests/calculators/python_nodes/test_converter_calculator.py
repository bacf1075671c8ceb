"""Between arrays of numbers and the tensors of Python nodes."""

from typing import Any

import numpy as np
import pytest

from calcgraph.calculators.python_nodes.converter_calculator import (
    PyTensorOvTensorConverterCalculator,
)
from calcgraph.calculators.python_nodes.node_tensor import NodeTensor
from calcgraph.proto.ovms_pb2 import PyTensorOvTensorConverterCalculatorOptions
from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.payload import RawTensor
from calcgraph.runtime.testing import run
from pyovms import Tensor

NAMED = PyTensorOvTensorConverterCalculatorOptions(
    tag_to_output_tensor_names={"OVMS_PY_TENSOR": "input"}
)


def to_python(array: Any, options: Any = NAMED) -> Any:
    out = run(
        PyTensorOvTensorConverterCalculator,
        {"OVTENSOR": [array]},
        options=options,
        outputs=["OVMS_PY_TENSOR"],
    )
    return out["OVMS_PY_TENSOR"][0].value


def to_numbers(tensor: RawTensor) -> Any:
    out = run(
        PyTensorOvTensorConverterCalculator,
        {"OVMS_PY_TENSOR": [tensor]},
        options=PyTensorOvTensorConverterCalculatorOptions(),
        outputs=["OVTENSOR"],
    )
    return out["OVTENSOR"][0].value


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8", "i8", "u1", "?"])
def test_numbers_go_there_and_back(dtype: str) -> None:
    array = np.array([[0, 1, 1]], dtype)
    tensor = to_python(array)
    assert (tensor.name, tensor.shape) == ("input", (1, 3))
    back = to_numbers(tensor)
    assert type(back) is np.ndarray and back.dtype == array.dtype
    assert np.array_equal(back, array)


def test_what_the_tensor_says_of_itself_counts() -> None:
    tensor = NodeTensor.of(Tensor("x", np.float32([1, 2]).tobytes(), [2, 1], "FP32"))
    assert to_numbers(tensor).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (
            RawTensor("x", "BYTES", (1,), b"\0\0\0\0"),
            "datatype BYTES, which is no array of numbers",
        ),
        (RawTensor("x", "mine", (1,), b"\0"), "datatype mine, which is no array of numbers"),
        (RawTensor("x", "FP32", (2,), b"abcd"), "4 bytes where its datatype FP32"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(tensor: RawTensor, message: str) -> None:
    with pytest.raises(StatusError, match=message):
        to_numbers(tensor)


def test_the_tensor_needs_a_name() -> None:
    with pytest.raises(StatusError, match='tag_to_output_tensor_names needs the key "OVMS_PY_TENS'):
        to_python(np.zeros(1), PyTensorOvTensorConverterCalculatorOptions())


def test_one_side_is_numbers_and_the_other_a_python_tensor() -> None:
    with pytest.raises(StatusError, match="expected one input and one output"):
        run(
            PyTensorOvTensorConverterCalculator,
            {"OVTENSOR": [np.zeros(1)]},
            options=NAMED,
            outputs=["OVTENSOR"],
        )
