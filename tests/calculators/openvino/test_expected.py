"""What a request for a model must hold."""

from typing import Any

import numpy as np
import pytest

from calcgraph.calculators.openvino.expected import Expected, ordered
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import Tensor, TensorSpec

A = Expected("a", "FP32", ((0, -1), (3, 3)))
B = Expected("b", "INT64", ((1, 8), (200, -1)))
ANY = Expected("c", "BYTES", None)


def tensor(name: str, shape: tuple[int, ...], datatype: str = "FP32") -> Tensor:
    return Tensor(name, datatype, np.zeros(shape))


def test_metadata_says_minus_one_for_what_varies() -> None:
    assert [each.spec for each in (A, B, ANY)] == [
        TensorSpec("a", "FP32", (-1, 3)),
        TensorSpec("b", "INT64", (-1, -1)),
        TensorSpec("c", "BYTES", (-1,)),
    ]


def test_the_tensors_come_in_the_model_s_order() -> None:
    sent = [tensor("b", (8, 200), "INT64"), tensor("a", (0, 3))]
    assert [each.name for each in ordered([A, B], sent)] == ["a", "b"]


@pytest.mark.parametrize("shape", [(), (1,), (2, 0, 5)])
def test_any_rank_is_any_shape(shape: tuple[int, ...]) -> None:
    assert ordered([ANY], [tensor("c", shape, "BYTES")])


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ([], "The request has no input 'a'; the model takes 'a', 'b'."),
        ([tensor("a", (1, 3))], "The request has no input 'b'; the model takes 'a', 'b'."),
        ([tensor("x", (1, 3))], "The model has no input 'x'; it has 'a', 'b'"),
        ([tensor("a", (1, 3))] * 2, "The request has the input 'a' twice."),
        (
            [tensor("a", (1, 3), "FP64"), tensor("b", (1, 200), "INT64")],
            "Input 'a' has the datatype FP64; the model takes FP32.",
        ),
        (
            [tensor("a", (1, 4)), tensor("b", (1, 200), "INT64")],
            "Input 'a' has the shape [1, 4]; the model takes [-1, 3].",
        ),
        (
            [tensor("a", (3,)), tensor("b", (1, 200), "INT64")],
            "Input 'a' has the shape [3]; the model takes [-1, 3].",
        ),
        (
            [tensor("a", (1, 3)), tensor("b", (9, 200), "INT64")],
            "Input 'b' has the shape [9, 200]; the model takes [1:8, 200:].",
        ),
        (
            [tensor("a", (1, 3)), tensor("b", (1, 199), "INT64")],
            "Input 'b' has the shape [1, 199]; the model takes [1:8, 200:].",
        ),
    ],
)
def test_a_wrong_request_is_told_what_the_model_takes(sent: Any, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        ordered([A, B], sent)
    assert refused.value.message == message
    assert refused.value.param in message
