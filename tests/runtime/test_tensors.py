"""Tensors of the Open Inference Protocol: what is read, what is refused."""

import numpy as np
import pytest

from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import Tensor
from calcgraph.runtime.tensors import (
    DATATYPES,
    datatype_of,
    from_raw,
    from_values,
    shape_of,
    split_bytes,
    to_raw,
)

NUMBERS = [name for name, datatype in DATATYPES.items() if datatype.size]


@pytest.mark.parametrize("name", NUMBERS)
def test_raw_bytes_come_back_as_they_went(name: str) -> None:
    datatype = DATATYPES[name]
    raw = np.arange(6).astype(datatype.dtype).tobytes()
    tensor = from_raw("x", datatype, (2, 3), raw)
    assert tensor.shape == (2, 3)
    assert tensor.data.dtype == datatype.dtype
    assert to_raw(tensor) == raw


def test_bytes_elements_stand_behind_their_lengths() -> None:
    raw = b"\x06\0\0\0h\xc3\xa9llo\x01\0\0\0w"  # as tritonclient sends ["héllo", "w"]
    tensor = from_raw("x", DATATYPES["BYTES"], (2, 1), raw)
    assert tensor.data.tolist() == [["héllo".encode()], [b"w"]]
    assert to_raw(tensor) == raw


@pytest.mark.parametrize("raw", [b"\x01", b"\x02\0\0\0a", b"\x01\0\0\0a\xff\xff\xff\xffb"])
def test_bytes_that_end_within_an_element_are_refused(raw: bytes) -> None:
    with pytest.raises(RequestError, match=r"ends within its element \d"):
        split_bytes("x", raw)


def test_an_array_that_is_not_contiguous_is_sent_in_row_major_order() -> None:
    data = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert to_raw(Tensor("x", "FP32", data)) == np.array([0, 3, 1, 4, 2, 5], "<f4").tobytes()


@pytest.mark.parametrize("raw", [b"", b"\0" * 23, b"\0" * 25])
def test_raw_bytes_of_another_length_than_the_shape_asks_for_are_refused(raw: bytes) -> None:
    with pytest.raises(RequestError, match="ask for 24") as refused:
        from_raw("x", DATATYPES["FP32"], (2, 3), raw)
    assert refused.value.param == "x"


@pytest.mark.parametrize(
    ("shape", "count"), [((), 1), ((1,), 1), ((2, 3), 6), ((0,), 0), ((0, 384), 0)]
)
def test_a_shape_may_be_a_scalar_or_empty(shape: tuple[int, ...], count: int) -> None:
    tensor = from_values("x", DATATYPES["INT64"], shape, [7] * count)
    assert tensor.shape == shape
    assert tensor.data.tolist() == np.full(shape, 7).tolist()


@pytest.mark.parametrize("shape", [[-1], [2, -3], [1.0], ["1"], [True], [None], [[1]]])
def test_a_shape_that_is_not_made_of_sizes_is_refused(shape: list[object]) -> None:
    with pytest.raises(RequestError, match="every dimension is an integer >= 0"):
        shape_of("x", shape)


@pytest.mark.parametrize("shape", [(2**62, 8), (2**40, 2**40), (10**18,)])
def test_a_shape_of_more_elements_than_there_are_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RequestError, match=r"asks? for"):
        from_values("x", DATATYPES["FP32"], shape, [1.0])
    with pytest.raises(RequestError, match=r"asks? for"):
        from_raw("x", DATATYPES["FP32"], shape, b"\0\0\0\0")


@pytest.mark.parametrize("shape", [(0, 2**62, 2**62), (0,) * 70])
def test_an_empty_tensor_of_an_impossible_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RequestError, match="too large"):
        from_raw("x", DATATYPES["FP32"], shape, b"")


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("UINT8", 256),
        ("UINT8", -1),
        ("INT8", -129),
        ("INT32", 2**31),
        ("INT64", 2**63),
        ("UINT64", -1),
        ("FP32", 1e300),
    ],
)
def test_a_value_that_the_datatype_cannot_hold_is_refused(datatype: str, value: float) -> None:
    with pytest.raises(RequestError, match=f"{datatype} cannot hold"):
        from_values("x", DATATYPES[datatype], (1,), [value])


def test_the_extreme_values_of_integers_are_kept() -> None:
    assert from_values("x", DATATYPES["UINT64"], (2,), [0, 2**64 - 1]).data.tolist() == [
        0,
        2**64 - 1,
    ]
    assert from_values("x", DATATYPES["INT64"], (2,), [-(2**63), 2**63 - 1]).data.tolist() == [
        -(2**63),
        2**63 - 1,
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fp32", "did you mean 'FP32'?"),
        ("FLOAT", "it is one of BOOL"),
        (None, "it is one of"),
        (7, ""),
    ],
)
def test_an_unknown_datatype_is_told_the_nearest(name: object, hint: str) -> None:
    with pytest.raises(RequestError, match="unknown datatype") as refused:
        datatype_of("x", name)
    assert hint in refused.value.message
