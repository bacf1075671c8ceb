"""A compiled model, and an inference of it: fill the input tensors, start, read the vectors.

One model is compiled several times: with dynamic shapes, which run every shape of the table, and with a
static shape for the few that matter most, 3 to 20 % faster and with packed weights of their own. The inputs of pooling are lists of fixed length in both: the places
of all real tokens in the rows laid end to end, the text and the weight of each.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from calcgraph.calculators.engine.errors import InferenceFailed
from calcgraph.calculators.engine.model import last_line
from calcgraph.calculators.engine.shapes import Shape, ShapeTable
from calcgraph.calculators.engine.surgery import Positions

INFERENCE_LIMIT_S = 120.0
"""An inference that takes longer hangs. Nothing ever waits for ever."""
_numbers = itertools.count()

Texts = Sequence[np.ndarray]
"""Token ids of some texts."""
Vectors = np.ndarray | Sequence[np.ndarray]
"""One array a text: [dimensions] pooled, [tokens, dimensions] else."""


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


@dataclass(frozen=True, slots=True)
class Encoding:
    """How texts are laid out for a model, and what comes out of it."""

    model: ov.Model
    """With one output, the hidden states."""
    positions: Positions
    head: Head
    dimensions: int


class Program:
    """An Encoding compiled for one shape, or for all shapes of a table."""

    def __init__(
        self,
        core: ov.Core,
        encoding: Encoding,
        shapes: Shape | ShapeTable,
        device: str,
        config: Mapping[str, Any],
    ) -> None:
        static = isinstance(shapes, Shape)
        self.encoding = encoding
        self.tokens = shapes.tokens
        self.texts = shapes.texts
        model = encoding.model.clone()
        if isinstance(shapes, Shape):
            fixed = [shapes.rows, shapes.length]
            model.reshape({port.get_any_name(): fixed for port in model.inputs})
        self.static = static
        model = _with_head(model, encoding, self.tokens, self.texts)
        self.compiled = core.compile_model(model, device, dict(config))


class Request:
    """One inference of one shape, and its tensors, used over and over: fill, start, wait."""

    def __init__(self, program: Program, shape: Shape) -> None:
        self.program = program
        self.shape = shape
        self._request = program.compiled.create_infer_request()
        # Written in place: neither the copy of a feed nor `share_inputs`, which corrupts the heap.
        self._inputs: dict[str, np.ndarray] = {}
        for port in program.compiled.inputs:
            dynamic = port.get_partial_shape().is_dynamic
            size = [shape.rows, shape.length] if dynamic else port.get_shape()
            tensor = ov.Tensor(port.get_element_type(), ov.Shape(size))
            tensor.data[:] = 0
            self._request.set_tensor(port, tensor)
            self._inputs[port.get_any_name()] = tensor.data
        dimensions = program.encoding.dimensions
        self._answer = (
            (shape.rows, shape.length, dimensions)
            if program.encoding.head.pooling is None
            else (program.texts, dimensions)
        )
        self._start = self._lengths = np.empty(0, np.int64)
        self.number = next(_numbers)
        """No other request has it."""
        self.started = 0.0
        """By time.perf_counter."""

    def call_when_done(self, done: Callable[[int], None]) -> None:
        """Call `done` with the number of this request whenever an inference of it has succeeded, from
        a thread of OpenVINO's. What failed is only told by `wait`.

        `done` must not hold this request, since what OpenVINO holds is never found to be garbage.
        """
        self._request.set_callback(done, self.number)

    def fill(self, rows: Sequence[Texts]) -> None:
        """Lay out these rows of texts."""
        texts = [ids for row in rows for ids in row]
        lengths = np.array([len(ids) for ids in texts])
        row = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        before = np.cumsum(lengths) - lengths
        first_of_row = np.searchsorted(row, row)
        # Of each text: where it starts in the rows laid end to end. Of each token: where it is.
        start = before - before[first_of_row] + row * self.shape.length
        place = np.arange(lengths.sum()) + np.repeat(start - before, lengths)
        text = np.repeat(np.arange(len(texts)), lengths)

        encoding = self.program.encoding
        self._scatter("input_ids", place, lambda: np.concatenate(texts))
        self._scatter("attention_mask", place, lambda: 1)
        self._scatter("segment_ids", place, lambda: text + 1)
        self._scatter(
            "position_ids",
            place,
            lambda: np.concatenate([encoding.positions.of(ids) for ids in texts]),
        )
        self._head("place", lambda: place)
        self._head("weight", lambda: np.repeat(1 / lengths, lengths))
        self._head("text", lambda: text, rest=self.program.texts - 1)
        last = encoding.head.pooling is Pooling.LAST
        self._head("token", lambda: start + lengths - 1 if last else start)
        self._start, self._lengths = start, lengths

    def start(self) -> None:
        """Raises InferenceFailed."""
        self.started = time.perf_counter()
        try:
            self._request.start_async()
        except RuntimeError as error:
            raise InferenceFailed(f"OpenVINO did not start: {last_line(error)}") from error

    def ended(self, timeout: float = 0.0) -> bool:
        """Whether the inference ends within `timeout` seconds, well or not."""
        try:
            return bool(self._request.wait_for(int(timeout * 1e3)))
        except RuntimeError:
            return True

    @property
    def overdue(self) -> bool:
        """Whether the inference hangs."""
        return self._left < 0

    @property
    def _left(self) -> float:
        """Seconds until it does."""
        return self.started + INFERENCE_LIMIT_S - time.perf_counter()

    def wait(self) -> Vectors:
        """The vectors of the texts, in the order of `fill`; copies. Raises InferenceFailed."""
        try:
            done = self._request.wait_for(int(max(0.0, self._left) * 1e3))
        except RuntimeError as error:
            raise InferenceFailed(f"OpenVINO failed: {last_line(error)}") from error
        if not done:
            raise InferenceFailed(f"OpenVINO did not answer within {INFERENCE_LIMIT_S:g} s")
        output = self._request.get_output_tensor(0).data
        if output.shape != self._answer:
            raise InferenceFailed(
                f"OpenVINO answered with shape {output.shape}, expected {self._answer}"
            )
        if self.program.encoding.head.pooling is not None:
            return np.array(output[: len(self._lengths)])
        flat = output.reshape(-1, output.shape[-1])
        return [flat[at : at + n].copy() for at, n in zip(self._start, self._lengths, strict=True)]

    def _scatter(self, name: str, place: np.ndarray, values: Callable[[], Any]) -> None:
        """Write the tokens' values into an input of rows, if the model has it; padding is 0."""
        if (tensor := self._inputs.get(name)) is not None:
            tensor[:] = 0
            tensor.reshape(-1)[place] = values()

    def _head(self, name: str, values: Callable[[], np.ndarray], rest: int = 0) -> None:
        """Write an input of the pooling, if the model has it."""
        if (tensor := self._inputs.get(name)) is not None:
            some = values()
            tensor[: len(some)] = some
            tensor[len(some) :] = rest


def _with_head(model: ov.Model, encoding: Encoding, tokens: int, texts: int) -> ov.Model:
    """The model with pooling and normalisation: one output [texts, dimensions].

    MEAN is a sum over a list of tokens, not a matrix product: it stays f32 when the model is bf16.
    """
    head = encoding.head
    if head.pooling is None:
        return model
    hidden = model.output(0).get_node().input_value(0)
    flat = op.reshape(hidden, np.array([-1, encoding.dimensions]), False)
    if head.pooling is Pooling.MEAN:
        place = _parameter("place", [tokens], ov.Type.i32)
        text = _parameter("text", [tokens], ov.Type.i32)
        weight = _parameter("weight", [tokens], ov.Type.f32)
        inputs = [place, text, weight]
        count, fill = op.constant(np.int32(texts)), op.constant(np.int32(0))
        pooled = op.embedding_segments_sum(flat, place, text, count, fill, weight)
    else:
        token = _parameter("token", [texts], ov.Type.i32)
        inputs = [token]
        pooled = op.gather(flat, token, np.int64(0))
    if head.normalize:
        pooled = _unit(pooled)
    return ov.Model([op.result(pooled)], [*model.get_parameters(), *inputs], "embeddings")


def _unit(vectors: Any) -> Any:
    """Rows divided by their L2 norm. OpenVINO's own NormalizeL2 has no fast kernel for this."""
    square = op.reduce_sum(op.multiply(vectors, vectors), np.array([1]), True)
    return op.divide(vectors, op.sqrt(op.maximum(square, np.float32(1e-24))))


def _parameter(name: str, shape: list[int], kind: ov.Type) -> Any:
    parameter = op.parameter(shape, kind, name=name)
    parameter.output(0).get_tensor().set_names({name})
    return parameter
