"""Is the packed model the same function as the plain one? Measured on random texts, in f32."""

import numpy as np
import openvino as ov

from calcgraph.calculators.engine.compiled import Compiled, Head
from calcgraph.calculators.engine.model import Encoder
from calcgraph.calculators.engine.shapes import Shape
from calcgraph.calculators.engine.surgery import NotPackable, Positions

ROWS = ((5, 1, 9, 3), (2, 17, 4), (31,))
"""Tokens of the texts in each row of a trial, which is of length 32: with and without padding."""
TOLERANCE = 1e-4
"""Largest difference allowed, in units of the largest hidden value."""


def verify(core: ov.Core, encoder: Encoder, packed: ov.Model, positions: Positions) -> float:
    """Largest difference of any hidden value, relative to the largest of them all.

    Raises NotPackable when it is too large, or when the packed model does not run.
    """
    random = np.random.default_rng(0)
    ids = encoder.vocab_size or 100
    rows = [[random.integers(0, ids, n) for n in row] for row in ROWS]
    longest = max(max(row) for row in ROWS)
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    head = Head(None, False)
    try:
        many = Compiled(
            core, packed, Shape(32, len(rows)), head, positions, "CPU", config, packed=True
        ).request()
        many.fill(rows)
        many.start()
        together = many.wait()
        plain = Compiled(
            core,
            plain_model(encoder),
            Shape(longest, 9),
            head,
            Positions(),
            "CPU",
            config,
            packed=False,
        ).request()
        texts = [ids for row in rows for ids in row]
        plain.fill([[ids] for ids in texts])
        plain.start()
        alone = plain.wait()
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
