"""From one vector a token to one vector a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.values import Embeddings
from calcgraph.calculators.values import Pooling as PoolingName
from calcgraph.proto.calculators_pb2 import PoolingOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.plan import NodePlan

Hidden = NDArray[np.float32]

POOLINGS: Mapping[PoolingName, Callable[[Hidden], Hidden]] = {
    "CLS": lambda hidden: hidden[0],
    "LAST": lambda hidden: hidden[-1],
    "MEAN": lambda hidden: hidden.mean(axis=0),
}


class Pooling(Calculator):
    """CLS: the first token's vector. LAST: the last one's. MEAN: their average.

    Directly behind the encoder it runs inside the compiled model, and this node only passes on.
    """

    inputs = {"EMBEDDINGS": Embeddings}
    outputs = {"EMBEDDINGS": Embeddings}
    options = PoolingOptions
    light = True

    def open(self, cc: CalculatorContext) -> None:
        self.pooling = pooling_name(cc.options)

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs["EMBEDDINGS"].add(pool(cc.inputs["EMBEDDINGS"].value, self.pooling))

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        assert isinstance(node.options, PoolingOptions)
        return {"pooling": pooling_name(node.options)}


def pooling_name(options: PoolingOptions) -> PoolingName:
    """What the graph asks for. There is no default: a wrong pooling gives wrong vectors silently."""
    if not options.HasField("pooling"):
        raise ValueError("set 'pooling' to CLS, LAST or MEAN, as the model was trained")
    name: PoolingName = PoolingOptions.Pooling.Name(options.pooling)
    return name


def pool(embeddings: Embeddings, pooling: PoolingName) -> Embeddings:
    """One vector a sequence. Raises ValueError when another pooling was already done."""
    if embeddings.hidden is None:
        if embeddings.pooling != pooling:
            raise ValueError(
                f"expected token embeddings, found {embeddings.pooling}-pooled vectors"
            )
        return embeddings
    method = POOLINGS[pooling]
    vectors = np.stack([method(hidden) for hidden in embeddings.hidden])
    return Embeddings(vectors=vectors, pooling=pooling)
