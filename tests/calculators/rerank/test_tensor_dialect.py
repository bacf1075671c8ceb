"""Tensors of the Open Inference Protocol as a query and documents."""

import numpy as np
import pytest

from calcgraph.calculators.rerank import tensor_dialect
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import InferRequest, Tensor


def text(name: str, *values: bytes, shape: tuple[int, ...] | None = None) -> Tensor:
    return Tensor(name, "BYTES", np.array(values, object).reshape(shape or (len(values),)))


def test_a_query_and_documents_are_read_in_any_order() -> None:
    tensors = [text("documents", b"a", b"b", shape=(2, 1)), text("query", "ü".encode(), shape=())]
    asked, _ = tensor_dialect.read(InferRequest("m", tensors), 5)
    assert (asked.query, asked.documents) == ("ü", ["a", "b"])


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([], "found no input"),
        ([text("query", b"q")], "found 'query'"),
        ([text("query", b"q"), text("texts", b"a")], "found 'query', 'texts'"),
        ([text("query", b"q", b"r"), text("documents", b"a")], "must have one element, found 2"),
        ([text("query", b"q"), text("documents")], "1 to 5 elements, found 0"),
        ([text("query", b"q"), text("documents", *[b"a"] * 6)], "1 to 5 elements, found 6"),
        ([text("query", b"q"), text("documents", b"\xff")], "is not UTF-8"),
        ([text("query", b"q"), text("documents", b"a", b"b", shape=(1, 2))], "found [1, 2]"),
        ([text("query", b"q"), Tensor("documents", "INT64", np.array([1]))], "must be BYTES"),
    ],
)
def test_other_tensors_are_refused(tensors: list[Tensor], message: str) -> None:
    with pytest.raises(RequestError) as raised:
        tensor_dialect.read(InferRequest("m", tensors), 5)
    assert message in str(raised.value)
