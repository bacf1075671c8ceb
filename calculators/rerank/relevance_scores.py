"""From the model's numbers to one score a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.rerank.values import Logits
from calcgraph.proto.rerank_pb2 import RelevanceScoresOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext

Numbers = NDArray[np.float32]


def sigmoid(logits: Numbers) -> Numbers:
    """Of float32 in the precision of float64; neither end overflows."""
    exact = 0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64)))
    return exact.astype(np.float32)


ACTIVATIONS: Mapping[str, Callable[[Numbers], Numbers]] = {
    "SIGMOID": sigmoid,
    "IDENTITY": lambda logits: logits,
}
WINDOWS: Mapping[str, Callable[[Numbers, NDArray[np.intp]], Numbers]] = {
    "BEST": lambda scores, starts: np.maximum.reduceat(scores, starts),
    "MEAN": lambda scores, starts: (
        np.add.reduceat(scores, starts) / np.diff(starts, append=len(scores))
    ).astype(np.float32),
    "FIRST": lambda scores, starts: scores[starts],
}


class RelevanceScores(Calculator):
    """Applies the activation, and takes the best of a long document's windows."""

    inputs = {"LOGITS": Logits}
    outputs = {"SCORES": np.ndarray}
    options = RelevanceScoresOptions
    light = True
    stateless = True

    def open(self, cc: CalculatorContext) -> None:
        options = cc.options
        self.activation = RelevanceScoresOptions.Activation.Name(options.activation)
        self.windows = WINDOWS[RelevanceScoresOptions.Windows.Name(options.windows)]

    def process(self, cc: CalculatorContext) -> None:
        logits: Logits = cc.inputs["LOGITS"].value
        name = logits.activation if self.activation == "MODEL" else self.activation
        starts = np.flatnonzero(np.diff(logits.owners, prepend=-1))
        cc.outputs["SCORES"].add(self.windows(ACTIVATIONS[name](logits.values), starts))

    @classmethod
    def describe(cls, node: Any, resource: Any, upstream: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"activation": RelevanceScoresOptions.Activation.Name(node.options.activation)}
