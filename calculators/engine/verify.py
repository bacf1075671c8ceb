"""Is the packed model the same function as the plain one? Measured on random texts, in f32."""

from collections.abc import Sequence

import numpy as np
import openvino as ov

from calcgraph.calculators.engine.compiled import Encoding, Head, Program, Request, Texts, Vectors
from calcgraph.calculators.engine.model import Encoder
from calcgraph.calculators.engine.shapes import Shape
from calcgraph.calculators.engine.surgery import NotPackable, Positions

ROW = 32
ROWS = ((5, 1, 9, 3), (2, 17, 4), (31,))
"""Tokens of the texts in each row of a trial: with and without padding."""
TOLERANCE = 1e-4
"""Largest difference allowed, in units of the largest hidden value."""


def verify(core: ov.Core, encoder: Encoder, packed: ov.Model, positions: Positions) -> float:
    """Largest difference of any hidden value, relative to the largest of them all.

    Raises NotPackable when it is too large, or when the packed model does not run.
    """
    random = np.random.default_rng(0)
    ids = encoder.vocab_size or 100
    rows = [[random.integers(0, ids, n) for n in row] for row in ROWS]
    try:
        shape = Shape(ROW, len(rows), max(map(len, rows)))
        together = _infer(core, encoder, packed, positions, shape, rows)
        texts = [[ids] for row in rows for ids in row]
        shape = Shape(max(map(max, ROWS)), len(texts))
        alone = _infer(core, encoder, plain_model(encoder), Positions(), shape, texts)
    except RuntimeError as error:
        raise NotPackable(f"its packed form does not run: {error}") from error
    scale = max(float(np.abs(a).max()) for a in alone)
    worst = max(float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True)) / scale
    if not worst <= TOLERANCE:
        raise NotPackable(f"its packed form differs from the plain one by {worst:.1e}")
    return worst


def plain_model(encoder: Encoder) -> ov.Model:
    """The model as it is, with the hidden states as its only output."""
    model = encoder.model.clone()
    hidden = model.output(encoder.hidden).get_node().input_value(0)
    return ov.Model([ov.opset13.result(hidden)], model.get_parameters(), "plain")


def _infer(
    core: ov.Core,
    encoder: Encoder,
    model: ov.Model,
    positions: Positions,
    shape: Shape,
    rows: Sequence[Texts],
) -> Vectors:
    encoding = Encoding(model, positions, Head(None, False), encoder.dimensions)
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    request = Request(Program(core, encoding, shape, "CPU", config), shape)
    request.fill(rows)
    request.start()
    return request.wait()
