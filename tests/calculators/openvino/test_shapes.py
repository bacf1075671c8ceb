"""Shapes, batch sizes and layouts in OVMS's words."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from calcgraph.calculators.openvino.shapes import lay_out, reshape, shape


@pytest.fixture
def add(save_add: Callable[..., Path], tmp_path: Path) -> Any:
    """The model that adds a and b, both [2, 3]."""
    return ov.Core().read_model(save_add(tmp_path / "m.xml", shape=(2, 3)))


def shapes(model: Any) -> list[str]:
    return [str(port.get_partial_shape()) for port in model.inputs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(1,3,224,224)", "[1,3,224,224]"),
        (" ( 1, -1 ,200:400 ) ", "[1,?,200..400]"),
        ("(7)", "[7]"),
        ("()", "[]"),
    ],
)
def test_a_shape_is_read_as_ovms_reads_it(text: str, expected: str) -> None:
    assert str(shape(text)) == expected


@pytest.mark.parametrize("text", ["1,3", "(1,3", "(1,x)", "(0)", "(-2)", "(3:1)", "(1:)", ""])
def test_what_is_no_shape_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        shape(text)


@pytest.mark.parametrize(
    ("given", "batch_size", "expected"),
    [
        ({}, "", ["[2,3]", "[2,3]"]),
        ({}, "8", ["[8,3]", "[8,3]"]),
        ({}, "auto", ["[?,3]", "[?,3]"]),
        ({}, "1:4", ["[1..4,3]", "[1..4,3]"]),
        ({"a": "(4,5)", "b": "(4,5)"}, "", ["[4,5]", "[4,5]"]),
        ({"a": "(-1,3)", "b": "auto"}, "8", ["[?,3]", "[?,?]"]),
    ],
)
def test_a_model_is_reshaped_before_it_is_compiled(
    add: Any, given: Mapping[str, str], batch_size: str, expected: list[str]
) -> None:
    reshape(add, given, batch_size)
    assert shapes(add) == expected


@pytest.mark.parametrize(
    ("given", "batch_size", "message"),
    [
        ({"": "(1,3)"}, "", "several inputs, 'a', 'b': say which"),
        ({"x": "(1,3)"}, "", "no input 'x'; it has 'a', 'b'"),
        ({"a": "(4,3)"}, "", r"cannot take the shapes a \[4,3\]: "),
        ({}, "many", "found 'many' for a dimension"),
    ],
)
def test_shapes_that_do_not_fit_are_told(
    add: Any, given: Mapping[str, str], batch_size: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        reshape(add, given, batch_size)


def test_an_input_without_dimensions_has_no_batch() -> None:
    scalar = op.parameter([], np.float32)
    scalar.output(0).set_names({"x"})
    model = ov.Model([op.result(scalar)], [scalar])
    with pytest.raises(ValueError, match=r"batch_size: input 'x' has the shape \[\]"):
        reshape(model, {}, "4")


def test_a_client_may_send_images_in_another_layout_than_the_model_reads() -> None:
    image = op.parameter([1, 3, 2, 2], np.float32)
    image.output(0).set_names({"image"})
    model = lay_out(ov.Model([op.result(image)], [image]), {"": "NHWC:NCHW"})
    assert shapes(model) == ["[1,2,2,3]"]
    request = ov.Core().compile_model(model, "CPU").create_infer_request()
    sent = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    request.set_tensor("image", ov.Tensor(sent))
    request.start_async()
    request.wait()
    assert np.array_equal(request.get_output_tensor(0).data, sent.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("layouts", [{"a": "NHWC:NCHW"}, {"x": "NC"}, {"": "NC"}])
def test_a_layout_that_does_not_fit_is_told(add: Any, layouts: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match=r"layout|no input|several inputs"):
        lay_out(add, layouts)
