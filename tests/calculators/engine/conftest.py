"""Miniature encoders of several kinds, random weights, made with OpenVINO alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from calcgraph.calculators.engine import Engine

VOCAB, TABLE, HIDDEN, HEADS = 1000, 64, 16, 2
PAD = 1
FAILS, NAN = 998, 999
"""Ids that the kinds "fails" and "short" cannot infer, and whose vector in the kind "nan" is NaN."""


def tiny_model(kind: str) -> ov.Model:
    """An encoder of two layers.

    bert: absolute positions, a float mask over keys.  roberta: positions from 2, padding uncounted.
    unmasked: no attention mask at all.  causal: SDPA's own causal mask.  window: each token sees two
    to each side, as a boolean mask.  stuck: positions no surgery finds.  softmax: attention written
    out.  deaf: no attention, each token for itself.  fails: bert, whose inference raises for one id.
    short: bert that answers with a token less for that id.  nan: bert with a NaN in its word table.
    """
    random = np.random.default_rng(7)

    def constant(*shape: int) -> Any:
        return op.constant(random.normal(0, 0.5, shape).astype(np.float32))

    def parameter(name: str) -> Any:
        node = op.parameter([-1, -1], ov.Type.i64, name=name)
        node.output(0).get_tensor().set_names({name})
        return node

    ids, mask = parameter("input_ids"), parameter("attention_mask")
    words = random.normal(0, 1, (VOCAB, HIDDEN)).astype(np.float32)
    if kind == "nan":
        words[NAN] = np.nan
    table = constant(TABLE, HIDDEN)
    length = op.gather(op.shape_of(ids), np.int64(1), np.int64(0))
    places = op.range(np.int64(0), length, np.int64(1), "i64")
    if kind == "roberta":
        counted = op.convert(op.not_equal(ids, np.int64(PAD)), "i64")
        indices = op.add(op.multiply(op.cum_sum(counted, np.int64(1)), counted), np.int64(PAD))
    elif kind == "stuck":
        indices = op.subtract(np.int64(TABLE - 1), places)
    else:
        indices = places
    x = op.gather(op.constant(words), ids, np.int64(0))
    x = op.add(x, op.gather(table, indices, np.int64(0)))

    keys = op.unsqueeze(mask, np.array([1, 2]))
    attention_mask = op.multiply(
        op.subtract(np.float32(1), op.convert(keys, "f32")), np.float32(-1e30)
    )
    if kind == "window":
        distance = op.abs(op.subtract(op.unsqueeze(places, [0]), op.unsqueeze(places, [1])))
        attention_mask = op.logical_and(
            op.less_equal(distance, np.int64(2)), op.convert(keys, "boolean")
        )
    for _ in range(2):
        q, k, v = (
            op.transpose(
                op.reshape(
                    op.matmul(x, constant(HIDDEN, HIDDEN), False, False),
                    np.array([0, 0, HEADS, HIDDEN // HEADS]),
                    True,
                ),
                np.array([0, 2, 1, 3]),
            )
            for _ in range(3)
        )
        if kind == "deaf":
            a = v
        elif kind == "unmasked":
            a = op.scaled_dot_product_attention(q, k, v)
        elif kind == "causal":
            a = op.scaled_dot_product_attention(q, k, v, causal=True)
        elif kind == "softmax":
            scores = op.add(op.matmul(q, k, False, True), attention_mask)
            a = op.matmul(op.softmax(scores, -1), v, False, False)
        else:
            a = op.scaled_dot_product_attention(q, k, v, attention_mask)
        a = op.reshape(op.transpose(a, np.array([0, 2, 1, 3])), np.array([0, 0, HIDDEN]), True)
        x = op.mvn(op.add(x, a), np.array([-1]), True, 1e-6, "inside_sqrt")
    hit = op.reduce_max(op.convert(op.equal(ids, np.int64(FAILS)), "i64"), np.array([0, 1]))
    if kind == "short":
        end = op.unsqueeze(op.subtract(length, hit), [0])
        x = op.slice(x, np.array([0]), end, np.array([1]), np.array([1]))
    if kind == "fails":
        width = op.add(np.int64(HIDDEN), op.multiply(hit, np.int64(1000003)))
        sizes = op.concat([np.array([-1]), op.unsqueeze(width, [0])], 0)
        x = op.reshape(op.reshape(x, sizes, False), op.shape_of(x), False)
    x.output(0).get_tensor().set_names({"last_hidden_state"})
    return ov.Model([op.result(x)], [ids, mask], kind)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model of a kind."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind)
            ov.save_model(
                tiny_model(kind), made[kind] / "openvino_model.xml", compress_to_fp16=False
            )
        return made[kind]

    return folder


@pytest.fixture
def open_tiny(tiny: Callable[[str], Path]) -> Iterator[Callable[..., Engine]]:
    """Open a tiny model in f32; closed after the test."""
    engines: list[Engine] = []

    def open_kind(kind: str, **options: Any) -> Engine:
        config = {"INFERENCE_PRECISION_HINT": "f32", **options.pop("plugin_config", {})}
        options = {"pooling": "MEAN", **options}
        engines.append(Engine.open(tiny(kind), plugin_config=config, **options))
        return engines[-1]

    yield open_kind
    for engine in engines:
        engine.close()


@pytest.fixture
def alone(tiny: Callable[[str], Path]) -> Callable[[str, np.ndarray], np.ndarray]:
    """The hidden states of one text by plain OpenVINO, with nothing of ours between."""
    compiled: dict[str, ov.CompiledModel] = {}

    def infer(kind: str, ids: np.ndarray) -> np.ndarray:
        if kind not in compiled:
            compiled[kind] = ov.Core().compile_model(
                tiny(kind) / "openvino_model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
            )
        request = compiled[kind].create_infer_request()
        row = np.asarray(ids, np.int64)[None]
        request.start_async({"input_ids": row, "attention_mask": np.ones_like(row)})
        request.wait()
        return np.array(request.get_output_tensor(0).data[0])

    return infer
