"""Does a model give a text the same vectors in company as alone? Measured on random texts, in f32."""

from collections.abc import Sequence

import numpy as np
import openvino as ov

from calcgraph.calculators.engine.compiled import Encoding, Head, Program, Request, Texts, Vectors
from calcgraph.calculators.engine.model import Encoder, last_line
from calcgraph.calculators.engine.shapes import Shape, ShapeTable
from calcgraph.calculators.engine.surgery import Positions

ROW = 32
ROWS = ((5, 1, 9, 3), (2, 17, 4), (31,))
"""Tokens of the texts in each row of a trial: with padding and almost without."""
TOLERANCE = 1e-4
"""Largest difference allowed, in units of the largest hidden value."""


class Differs(Exception):
    """Company changes the vectors, or the model does not run that way; says which."""


def verify(
    core: ov.Core, encoder: Encoder, model: ov.Model, positions: Positions, *, packed: bool
) -> float:
    """Largest difference of any hidden value of `model`, many texts at a time, from the encoder as
    it was read, one text at a time, relative to the largest value.

    Raises Differs when that is too much.
    """
    random = np.random.default_rng(0)
    rows = [[random.integers(0, encoder.vocab_size or 100, n) for n in row] for row in ROWS]
    texts = [ids for row in rows for ids in row]
    if not packed:
        rows = [[ids] for ids in texts]
    shape = Shape(ROW, len(rows), max(map(len, rows)))
    try:
        together = _infer(core, encoder, model, positions, shape, rows)
    except RuntimeError as error:
        raise Differs(f"it does not run: {last_line(error)}") from error
    alone = _alone(core, encoder, texts)
    scale = max(float(np.abs(states).max()) for states in alone)
    worst = max(float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True)) / scale
    if not worst <= TOLERANCE:
        raise Differs(f"it differs from the model one text at a time by {worst:.1e}")
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
    return _run(Program(core, encoding, shape, "CPU", F32), shape, rows)


def _alone(core: ov.Core, encoder: Encoder, texts: Texts) -> list[np.ndarray]:
    encoding = Encoding(plain_model(encoder), Positions(), Head(None, False), encoder.dimensions)
    shapes = [Shape(len(ids), 1) for ids in texts]
    program = Program(core, encoding, ShapeTable(shapes), "CPU", F32)
    return [_run(program, s, [[ids]])[0] for s, ids in zip(shapes, texts, strict=True)]


def _run(program: Program, shape: Shape, rows: Sequence[Texts]) -> Vectors:
    request = Request(program, shape)
    request.fill(rows)
    request.start()
    return request.wait()


# Beside int8 weights OpenVINO rounds activations too, by kernels that it chooses by the number of tokens: that
# changes vectors more than company does, and is not what is asked here.
F32 = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
