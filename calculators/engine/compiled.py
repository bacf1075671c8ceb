"""One compiled shape: fill its input tensors, infer, read the vectors of its texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from calcgraph.calculators.engine.errors import InferenceFailed
from calcgraph.calculators.engine.model import last_line
from calcgraph.calculators.engine.pack import slots
from calcgraph.calculators.engine.shapes import Shape
from calcgraph.calculators.engine.surgery import Positions

INFERENCE_LIMIT_S = 120.0
"""An inference that takes longer hangs. Nothing ever waits for ever."""


class Pooling(Enum):
    """Which vector stands for a text: its first token's, its last token's, or the mean of all."""

    CLS = "CLS"
    LAST = "LAST"
    MEAN = "MEAN"


@dataclass(frozen=True, slots=True)
class Head:
    """What follows the encoder. Without pooling, every token's vector is the result."""

    pooling: Pooling | None
    normalize: bool


class Compiled:
    """A model compiled for one shape, with the pooling and normalisation of its texts in it.

    Texts of a row are its segments, numbered through all rows: row r has `slots` numbers for texts
    and one more for its padding.
    """

    def __init__(
        self,
        core: ov.Core,
        model: ov.Model,
        shape: Shape,
        head: Head,
        positions: Positions,
        device: str,
        config: Mapping[str, Any],
        *,
        packed: bool,
    ) -> None:
        self.shape = shape
        self.slots = slots(shape.length, packed)
        self.head = head
        self.positions = positions
        model = _with_head(model.clone(), shape, self.slots, head)
        self.compiled = core.compile_model(model, device, dict(config))

    def request(self) -> "Request":
        """Room for one inference."""
        return Request(self)


class Request:
    """An inference and its tensors: fill, start, wait for the vectors, in turn."""

    def __init__(self, compiled: Compiled) -> None:
        self.of = compiled
        self._request = compiled.compiled.create_infer_request()
        # Written in place: neither the copy of a feed nor `share_inputs`, which corrupts the heap.
        self._inputs: dict[str, np.ndarray] = {}
        for port in compiled.compiled.inputs:
            tensor = self._request.get_tensor(port)
            tensor.data[:] = 0
            self._inputs[port.get_any_name()] = tensor.data
        self._output_shape = tuple(compiled.compiled.output(0).get_shape())
        self._at: np.ndarray | None = None
        self._lengths: np.ndarray | None = None

    def fill(self, rows: Sequence[Sequence[np.ndarray]]) -> None:
        """Lay out the token ids of these rows of texts."""
        shape, slots_ = self.of.shape, self.of.slots
        texts = [ids for row in rows for ids in row]
        counts = np.array([len(row) for row in rows])
        lengths = np.array([len(ids) for ids in texts])
        row = np.repeat(np.arange(len(rows)), counts)
        slot = np.arange(len(texts)) - np.repeat(np.cumsum(counts) - counts, counts)
        before = np.cumsum(lengths) - lengths
        first = np.flatnonzero(slot == 0)
        start = before - before[first][row] + row * shape.length
        segment = row * (slots_ + 1) + slot
        # Of each token of each text, in turn: where it is in the rows laid end to end.
        place = np.arange(lengths.sum()) + np.repeat(start - before, lengths)
        inputs = self._inputs
        _scatter(inputs.get("input_ids"), place, lambda: np.concatenate(texts))
        _scatter(inputs.get("attention_mask"), place, lambda: 1)
        _scatter(
            inputs.get("position_ids"),
            place,
            lambda: np.concatenate([self.of.positions.of(ids) for ids in texts]),
        )
        _scatter(inputs.get("weights"), place, lambda: np.repeat(1 / lengths, lengths))
        if (segments := inputs.get("segment_ids")) is not None:
            segments[:] = (np.arange(shape.rows) * (slots_ + 1) + slots_)[:, None]
            segments.reshape(-1)[place] = np.repeat(segment, lengths)
        if (tokens := inputs.get("tokens")) is not None:
            last = self.of.head.pooling is Pooling.LAST
            tokens[:] = 0
            tokens[segment] = start + (lengths - 1 if last else 0)
        self._lengths = lengths
        self._at = start if self.of.head.pooling is None else segment

    def start(self) -> None:
        """Raises InferenceFailed."""
        try:
            self._request.start_async()
        except RuntimeError as error:
            raise InferenceFailed(f"OpenVINO did not start: {last_line(error)}") from error

    def wait(self) -> list[np.ndarray]:
        """The result of each text, in the order of `fill`: [D] pooled, [n, D] else.

        Raises InferenceFailed. Answers are copies.
        """
        try:
            done = self._request.wait_for(int(INFERENCE_LIMIT_S * 1e3))
        except RuntimeError as error:
            raise InferenceFailed(f"OpenVINO failed: {last_line(error)}") from error
        if not done:
            raise InferenceFailed(f"OpenVINO did not answer within {INFERENCE_LIMIT_S:g} s")
        output = self._request.get_output_tensor(0).data
        if output.shape != self._output_shape:
            raise InferenceFailed(
                f"OpenVINO answered with shape {output.shape}, expected {self._output_shape}"
            )
        assert self._at is not None and self._lengths is not None, "fill comes before wait"
        if self.of.head.pooling is not None:
            return list(output[self._at])
        flat = output.reshape(-1, output.shape[-1])
        return [flat[at : at + n].copy() for at, n in zip(self._at, self._lengths, strict=True)]


def _scatter(tensor: np.ndarray | None, place: np.ndarray, values: Any) -> None:
    if tensor is not None:
        tensor[:] = 0
        tensor.reshape(-1)[place] = values()


def _with_head(model: ov.Model, shape: Shape, slots_: int, head: Head) -> ov.Model:
    """The model of one fixed shape with one output: [rows * (slots + 1), D] pooled, else
    [rows, length, D].

    MEAN is a sum over segments and no matrix product: it stays f32 when the model runs in bf16.
    """
    model.reshape({p.get_any_name(): [shape.rows, shape.length] for p in model.inputs})
    if head.pooling is None:
        return model
    parameters = model.get_parameters()
    hidden = model.output(0).get_node().input_value(0)
    flat = op.reshape(hidden, np.array([shape.tokens, -1]), False)
    segments = shape.rows * (slots_ + 1)
    if head.pooling is Pooling.MEAN:
        weights = op.parameter([shape.rows, shape.length], ov.Type.f32, name="weights")
        weights.output(0).get_tensor().set_names({"weights"})
        parameters = [*parameters, weights]
        pooled = op.embedding_segments_sum(
            flat,
            op.constant(np.arange(shape.tokens, dtype=np.int32)),
            _flat_segments(model, shape, slots_),
            op.constant(np.int32(segments)),
            op.constant(np.int32(0)),
            op.reshape(weights, np.array([-1]), False),
        )
    else:
        tokens = op.parameter([segments], ov.Type.i32, name="tokens")
        tokens.output(0).get_tensor().set_names({"tokens"})
        parameters = [*parameters, tokens]
        pooled = op.gather(flat, tokens, np.int64(0))
    if head.normalize:
        pooled = op.normalize_l2(pooled, np.array([1]), 1e-12, "max")
    return ov.Model([op.result(pooled)], parameters, "embeddings")


def _flat_segments(model: ov.Model, shape: Shape, slots_: int) -> Any:
    """The segment of every token. Without packing: one a row, padding counted in with weight 0."""
    for parameter in model.get_parameters():
        if parameter.output(0).get_any_name() == "segment_ids":
            return op.reshape(parameter, np.array([-1]), False)
    rows = np.arange(shape.rows, dtype=np.int32) * (slots_ + 1)
    return op.constant(np.repeat(rows, shape.length))
