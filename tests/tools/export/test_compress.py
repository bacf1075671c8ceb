"""Weights in 8 and 4 bits, and the words of optimum-cli for them."""

from collections import Counter
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from calcgraph.tools.encoder import build_encoder
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.export.compress import Compression, compress, read_compression

BERT = Path(__file__).parents[2] / "data" / "encoders" / "bert"


@pytest.mark.parametrize(
    ("weight_format", "extra", "expected"),
    [
        ("int8", "", Compression("int8")),
        ("int8", "--library sentence_transformers", Compression("int8")),
        ("int8", "--sym", Compression("int8", symmetric=True)),
        ("int4", "--group-size 32 --ratio 0.8", Compression("int4", False, 32, 0.8)),
        ("int4", "--group_size 32 --all-layers", Compression("int4", False, 32, None, True)),
        ("fp16", "--task feature-extraction", Compression("fp16")),
    ],
)
def test_the_parameters_of_optimum_cli_are_read(
    weight_format: str, extra: str, expected: Compression
) -> None:
    assert read_compression(weight_format, extra) == expected


@pytest.mark.parametrize(
    ("weight_format", "extra", "message"),
    [
        ("int4", "--awq --dataset wikitext2", "--awq is not supported; supported are --sym"),
        ("int8", "--group-size 32", "are for --weight-format int4"),
        ("fp32", "--sym", "--sym is for --weight-format int8 and int4"),
        ("int4", "--ratio much", "invalid float value: 'much'"),
    ],
)
def test_a_parameter_without_a_meaning_is_refused(
    weight_format: str, extra: str, message: str
) -> None:
    with pytest.raises(PreparationError, match=message):
        read_compression(weight_format, extra)


def vectors(model: ov.Model) -> np.ndarray:
    ids = np.arange(5, 25)[None]
    feeds = {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0}
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(feeds)[0][0].copy()


@pytest.mark.parametrize(
    ("compression", "kind", "floor"),
    [(Compression("int8"), "u8", 0.999), (Compression("int4", group_size=32), "u4", 0.9)],
)
def test_the_weights_are_stored_so_and_the_vectors_stay_close(
    compression: Compression, kind: str, floor: float
) -> None:
    exact = vectors(build_encoder(BERT))
    model = compress(build_encoder(BERT), compression)
    kinds = Counter(
        node.get_element_type().get_type_name()
        for node in model.get_ops()
        if node.get_type_name() == "Constant" and node.get_byte_size() > 200
    )
    assert kinds[kind] >= 11
    found = vectors(model)
    norms = np.linalg.norm(exact, axis=1) * np.linalg.norm(found, axis=1)
    assert ((exact * found).sum(axis=1) / norms).min() > floor


def test_fp32_is_left_to_the_saving() -> None:
    model = build_encoder(BERT)
    assert compress(model, Compression("fp32")) is model
