"""What OpenVINO can read, found in a version's folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino as ov
import pytest

from calcgraph.calculators.openvino.model_file import files_of, model_file, read_model

Save = Callable[..., Path]


def field(number: int, value: bytes) -> bytes:
    """A length-delimited field of a protobuf message."""
    return bytes([number << 3 | 2, *([len(value) & 127 | 128] if len(value) > 127 else [])]) + (
        bytes([len(value) >> 7 if len(value) > 127 else len(value)]) + value
    )


def number(number: int, value: int) -> bytes:
    return bytes([number << 3, value])


def attribute(name: str, value: bytes) -> bytes:
    return field(5, field(1, name.encode()) + field(2, value))


def node(name: str, op: str, *parts: bytes) -> bytes:
    return field(1, field(1, name.encode()) + field(2, op.encode()) + b"".join(parts))


FLOAT = number(6, 1)
UNKNOWN_BY_3 = field(7, field(2, b"\x08" + b"\xff" * 9 + b"\x01") + field(2, number(1, 3)))
TENSORFLOW_ADD = (
    node("a", "Placeholder", attribute("dtype", FLOAT), attribute("shape", UNKNOWN_BY_3))
    + node("b", "Placeholder", attribute("dtype", FLOAT), attribute("shape", UNKNOWN_BY_3))
    + node("sum", "AddV2", field(3, b"a"), field(3, b"b"), attribute("T", FLOAT))
)
"""A GraphDef of two inputs [?, 3] that are added."""


def tensor_info(name: str) -> bytes:
    return field(1, name.encode()) + field(2, field(1, f"{name}:0".encode()) + number(2, 1))


SIGNATURE = field(1, tensor_info("a")) + field(1, tensor_info("b")) + field(2, tensor_info("sum"))
SAVED_ADD = number(1, 1) + field(
    2,
    field(1, field(4, b"serve"))
    + field(2, TENSORFLOW_ADD)
    + field(5, field(1, b"serving_default") + field(2, SIGNATURE)),
)
ONNX_ADD = (
    b'\x08\x07\x12\x00:[\n\x10\n\x01a\n\x01b\x12\x03sum"\x03Add\x12\x03addZ\x14\n\x01a\x12\x0f\n\r\x08'
    b"\x01\x12\t\n\x03\x12\x01n\n\x02\x08\x03Z\x14\n\x01b\x12\x0f\n\r\x08\x01\x12\t\n\x03\x12\x01n\n\x02"
    b"\x08\x03b\x16\n\x03sum\x12\x0f\n\r\x08\x01\x12\t\n\x03\x12\x01n\n\x02\x08\x03B\x04\n\x00\x10\r"
)


def shapes(model: Any) -> dict[str, str]:
    return {
        port.get_any_name(): str(port.get_partial_shape())
        for port in (*model.inputs, *model.outputs)
    }


def test_an_ir_is_read_with_its_weights(save_add: Save, tmp_path: Path) -> None:
    file = save_add(tmp_path / "1" / "model.xml")
    assert model_file(tmp_path / "1") == file
    assert shapes(read_model(ov.Core(), tmp_path / "1")) == {
        "a": "[?,3]",
        "b": "[?,3]",
        "sum": "[?,3]",
    }
    assert files_of(tmp_path / "1") == [file, file.with_suffix(".bin")]


@pytest.mark.parametrize(
    ("name", "content", "suffix"),
    [
        ("model.onnx", ONNX_ADD, ""),
        ("frozen.pb", TENSORFLOW_ADD, ":0"),
        ("saved_model.pb", SAVED_ADD, ""),
    ],
)
def test_other_formats_are_read_too(name: str, content: bytes, suffix: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    expected = {f"{port}{suffix}": "[?,3]" for port in ("a", "b", "sum")}
    assert shapes(read_model(ov.Core(), tmp_path)) == expected
    assert files_of(tmp_path) == [tmp_path / name]


def test_the_tokenizers_beside_a_model_are_no_second_model(save_add: Save, tmp_path: Path) -> None:
    file = save_add(tmp_path / "openvino_model.xml")
    (tmp_path / "openvino_tokenizer.xml").touch()
    (tmp_path / "openvino_detokenizer.xml").touch()
    assert model_file(tmp_path) == file


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"expected one model in \S+ \(.*saved_model\.pb\), found none"),
        ({"a.xml": b"", "b.onnx": b""}, r"found a\.xml, b\.onnx"),
        ({"a.xml": b"<net/>"}, r"its weights a\.bin are missing"),
        ({"a.xml": b"no xml", "a.bin": b""}, r"cannot read the model \S+a\.xml: "),
        ({"a.onnx": b"no onnx"}, r"cannot read the model \S+a\.onnx: "),
    ],
)
def test_what_is_no_model_is_told_with_its_path(
    files: dict[str, bytes], message: str, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_model(ov.Core(), tmp_path)


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no model .*gone"):
        model_file(tmp_path / "gone")


def test_an_output_without_a_name_gets_that_of_its_operation(tmp_path: Path) -> None:
    from openvino import opset13 as op

    port = op.parameter([2], ov.Type.f32, name="x")
    ov.save_model(ov.Model([op.result(op.relu(port, name="y"))], [port]), tmp_path / "m.xml")
    model = read_model(ov.Core(), tmp_path)
    assert all(port.get_names() for port in (*model.inputs, *model.outputs))
    assert model.inputs[0].get_any_name() == "x"
