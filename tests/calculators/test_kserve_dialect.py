"""Text and token tensors are read by the contract of the module, and what is wrong is named."""

from typing import Any

import numpy as np
import pytest

from calcgraph.calculators import kserve_dialect
from calcgraph.calculators.lengths import LengthWish, Overflow, TooLong
from calcgraph.calculators.values import Embeddings, PromptWish, Tokens
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import InferRequest, Tensor


def text(values: Any, shape: tuple[int, ...]) -> Tensor:
    return Tensor("input", "BYTES", np.array(values, object).reshape(shape))


def ids(values: Any, name: str = "input_ids", datatype: str = "INT64") -> Tensor:
    return Tensor(name, datatype, np.array(values, np.int64))


def request(*tensors: Tensor, outputs: Any = (), **parameters: Any) -> InferRequest:
    return InferRequest("m", tensors, outputs, parameters=parameters)


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_texts_come_as_a_column_or_a_vector(shape: tuple[int, ...]) -> None:
    """KServe E2."""
    read, _ = kserve_dialect.read(request(text([b"a", "h\u00e9".encode()], shape)))
    assert read.texts == ["a", "h\u00e9"]


def test_a_scalar_is_one_text_and_nothing_is_no_text() -> None:
    """KServe E2, E6."""
    assert kserve_dialect.read(request(text([b"a"], ())))[0].texts == ["a"]
    assert kserve_dialect.read(request(text([], (0,))))[0].texts == []


def test_the_mask_chooses_the_tokens() -> None:
    """KServe E3."""
    read, _ = kserve_dialect.read(
        request(ids([[1, 2, 0], [0, 3, 4]]), ids([[1, 1, 0], [0, 1, 1]], "attention_mask"))
    )
    assert read.token_ids is not None
    assert [list(sequence) for sequence in read.token_ids] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (request(), "found no input"),
        (request(text([b"a"], (1,)), ids([[1]])), "found 'input', 'input_ids'"),
        (request(ids([[1]], "attention_mask")), "found 'attention_mask'"),
        (request(Tensor("text", "BYTES", np.array([b"a"], object))), "found 'text'"),
        (request(ids([[1]], "input")), "'input' must be BYTES, found INT64"),
        (request(text([b"a"] * 4, (2, 2))), "must have shape [N] or [N, 1], found [2, 2]"),
        (request(text([b"ok", b"\xff"], (2,))), "element 1 is not UTF-8"),
        (request(ids(np.zeros((2**31, 0)))), "rows without tokens: its shape is [2147483648, 0]"),
        (request(ids([1, 2])), "must have the shape [N, L] of 'input_ids', found [2]"),
        (request(ids([[1, 2]]), ids([[1]], "attention_mask")), "found [1, 1]"),
        (request(ids([[1]], datatype="FP32")), "must be INT64 or INT32, found FP32"),
        (request(ids([[1]]), ids([[2]], "attention_mask")), "must hold 0 and 1 only"),
        (request(ids([[1]]), ids([[0]], "attention_mask")), "row 0 has no token"),
        (request(ids([[1]]), ids([[1]], "token_type_ids")), "must be all 0"),
        (request(text([b"a"], (1,)), outputs=["x"]), "unexpected inference output 'x'"),
        (request(text([b"a"], (1,)), dimensions="8"), "'dimensions' must be an integer"),
        (request(text([b"a"], (1,)), truncate=1), "'truncate' must be one of true, false"),
    ],
)
def test_a_wrong_request_is_refused_by_name(bad: InferRequest, message: str) -> None:
    """KServe E2, E3."""
    with pytest.raises(RequestError) as raised:
        kserve_dialect.read(bad)
    assert message in str(raised.value)


def test_parameters_of_other_servers_are_ignored() -> None:
    kserve_dialect.read(request(text([b"a"], (1,)), binary_data_output=True, priority=3))


def test_the_answer_is_one_fp32_tensor_and_the_token_count() -> None:
    """KServe E5."""
    _, answer = kserve_dialect.read(request(text([b"a"], (1,)), dimensions=2))
    vectors = Embeddings(vectors=np.array([[3, 4, 5]], np.float32), normalized=True)
    response = answer.write(vectors, Tokens([np.zeros(9, np.int64)], [TooLong(0, 12, 9)]), "fp_1")
    [tensor] = response.outputs
    assert (tensor.name, tensor.datatype, tensor.shape) == ("embeddings", "FP32", (1, 2))
    np.testing.assert_allclose(tensor.data, [[0.6, 0.8]], rtol=1e-6)
    assert response.parameters == {
        "prompt_tokens": 9,
        "system_fingerprint": "fp_1",
        "truncated": "0",
    }


def test_parameters_wish_what_fields_of_the_body_do() -> None:
    """KServe E5."""
    read, _ = kserve_dialect.read(request(text([b"a"], (1,)), overflow="chunk", prompt_name="q"))
    assert read.length == LengthWish(Overflow.CHUNK)
    assert read.prompt == PromptWish("q")
