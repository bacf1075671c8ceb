"""What the tag of a stream says of the packets in it."""

import numpy as np
import pytest

from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.runtime.packet_kinds import FORMS, kind_of, written
from calcgraph.runtime.payload import RawTensor, Tensor
from calcgraph.runtime.tensors import DATATYPES

WORDS = np.array([b"a", b"b\xc3\xa9"], np.object_)


def tensor(datatype, *shape):
    kind = DATATYPES[datatype]
    return Tensor("x", datatype, np.zeros(shape, kind.dtype))


def image(datatype, *shape):
    return RawTensor("x", datatype, shape, bytes(np.prod(shape) * DATATYPES[datatype].size))


@pytest.mark.parametrize(
    ("tag", "prefix"),
    [
        ("", "OVTENSOR"),
        ("OVTENSOR", "OVTENSOR"),
        ("OVTENSOR1", "OVTENSOR"),
        ("ANYTHING", "OVTENSOR"),
        ("TENSOR", "TENSOR"),
        ("TENSOR1", "TENSOR"),
        ("TENSORS", "TENSOR"),
        ("TFTENSOR_A", "TFTENSOR"),
        ("TFLITE_TENSOR", "TFLITE_TENSOR"),
        ("OVMS_PY_TENSOR_IMAGE", "OVMS_PY_TENSOR"),
        ("IMAGE", "IMAGE"),
        ("TEXT", "TEXT"),
    ],
)
def test_the_beginning_of_the_tag_decides(tag, prefix):
    """KServe T1, T3, T4, T5, T6, T8."""
    assert kind_of(tag).prefix == prefix


@pytest.mark.parametrize("datatype", [name for name in DATATYPES if name != "BYTES"])
@pytest.mark.parametrize("tag", ["OVTENSOR", "", "TFTENSOR"])
def test_numbers_of_any_shape_are_carried_and_bytes_are_not(tag, datatype):
    """KServe T3, T5."""
    kind = kind_of(tag)
    kind.check(tensor(datatype, 2, 3))
    kind.check(tensor(datatype))
    kind.check(tensor(datatype, 0, 3))
    with pytest.raises(RequestError, match="'x' has the datatype BYTES; its stream carries num"):
        kind.check(tensor("BYTES", 1))


@pytest.mark.parametrize("datatype", DATATYPES)
def test_a_tensor_of_mediapipe_has_one_of_six_datatypes(datatype):
    """KServe T4."""
    check = kind_of("TENSOR").check
    if datatype in ("FP32", "FP16", "INT32", "INT8", "UINT8", "BOOL"):
        check(tensor(datatype, 2))
        return
    with pytest.raises(RequestError, match=f"'x' has the datatype {datatype}; .* carries FP32"):
        check(tensor(datatype, 2))


def test_a_tensor_of_mediapipe_has_no_dimension_of_zero():
    """KServe M9, T4."""
    with pytest.raises(RequestError, match=r"'x' has the shape \[2, 0\]; every dimension must be"):
        kind_of("TENSOR").check(tensor("FP32", 2, 0))


@pytest.mark.parametrize(
    ("datatype", "channels"),
    [
        *(("FP16", n) for n in (1, 3, 4)),
        *(("FP32", n) for n in (1, 2)),
        *((name, n) for name in ("UINT8", "INT8", "UINT16", "INT16") for n in (1, 3, 4)),
    ],
)
def test_an_image_has_the_formats_of_mediapipe(datatype, channels):
    """KServe T8."""
    sent = image(datatype, 4, 5, channels)
    kind_of("IMAGE").check(sent)
    array = FORMS[np.ndarray](sent)
    assert array.shape == (4, 5, channels)
    assert array.dtype == DATATYPES[datatype].dtype


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (image("FP32", 4, 5, 3), "has 3 channels; an image of FP32 has one of 1, 2"),
        (image("FP64", 4, 5, 1), "has the datatype FP64; an image has one of FP16"),
        (image("UINT8", 4, 5), r"has the shape \[4, 5\]; an image has height, width and channels"),
        (image("UINT8", 0, 5, 1), "all > 0"),
        (tensor("UINT8", 4, 5, 3), "travels as raw bytes only"),
    ],
)
def test_what_is_no_image_is_refused(sent, message):
    """KServe T8."""
    with pytest.raises(RequestError, match=message):
        kind_of("IMAGE").check(sent)


def test_tflite_tensors_are_not_implemented():
    """KServe T6."""
    kind = kind_of("TFLITE_TENSOR")
    with pytest.raises(RequestError) as refused:
        kind.check(tensor("FP32", 1))
    assert refused.value.code == Code.UNIMPLEMENTED
    with pytest.raises(RequestError) as refused:
        written("y", kind, np.zeros(1))
    assert refused.value.code == Code.UNIMPLEMENTED


def test_python_tensors_take_any_datatype_and_keep_the_bytes():
    """KServe T7."""
    sent = RawTensor("x", "own_type", (3,), b"abc")
    kind = kind_of("OVMS_PY_TENSOR")
    kind.check(sent)
    assert kind.raw
    assert FORMS[kind.form](sent) is sent
    words = FORMS[kind.form](Tensor("x", "BYTES", WORDS))
    assert words == RawTensor("x", "BYTES", (2,), b"\1\0\0\0a\3\0\0\0b\xc3\xa9")


def test_texts_are_strings():
    """KServe T9."""
    kind = kind_of("TEXT")
    kind.check(Tensor("x", "BYTES", WORDS.reshape(2, 1)))
    assert FORMS[list](Tensor("x", "BYTES", WORDS)) == ["a", "bé"]
    assert FORMS[str](Tensor("x", "BYTES", WORDS[1:])) == "bé"
    for sent, message in [
        (tensor("FP32", 1), "its stream carries BYTES"),
        (Tensor("x", "BYTES", WORDS.reshape(1, 2)), r"texts have \[N\] or \[N, 1\]"),
    ]:
        with pytest.raises(RequestError, match=message):
            kind.check(sent)
    with pytest.raises(RequestError, match="has 2 elements; its stream carries one text"):
        FORMS[str](Tensor("x", "BYTES", WORDS))
    with pytest.raises(RequestError, match="'x' is no UTF-8 in its element 0"):
        FORMS[list](Tensor("x", "BYTES", np.array([b"\xff"], np.object_)))


def test_an_array_cannot_hold_what_numpy_has_not():
    with pytest.raises(RequestError, match="BF16"):
        FORMS[np.ndarray](tensor("BF16", 1))


@pytest.mark.parametrize(
    ("payload", "datatype", "shape"),
    [
        (np.zeros((2, 3), np.float32), "FP32", (2, 3)),
        (np.zeros(2, ">i4"), "INT32", (2,)),
        (np.float64(1), "FP64", ()),
        (WORDS, "BYTES", (2,)),
        (["a", "b"], "BYTES", (2,)),
        ("a", "BYTES", (1,)),
        (Tensor("other", "BF16", np.zeros(2, np.uint16)), "BF16", (2,)),
        (RawTensor("other", "own", (2,), b"ab"), "own", (2,)),
    ],
)
def test_what_a_graph_writes_becomes_the_tensor_of_its_stream(payload, datatype, shape):
    """KServe T3."""
    found = written("y", kind_of(""), payload)
    assert (found.name, found.datatype, found.shape) == ("y", datatype, shape)


@pytest.mark.parametrize(
    "payload", [None, {}, object(), np.zeros(1, "c16"), np.array([1], np.object_), [1]]
)
def test_what_is_no_tensor_is_the_calculators_mistake(payload):
    with pytest.raises(StatusError, match="output stream 'y' has") as failed:
        written("y", kind_of(""), payload)
    assert failed.value.code == Code.INTERNAL
