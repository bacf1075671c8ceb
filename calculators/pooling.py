"""From one vector a token to one vector a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.engine import Pooling as Method
from calcgraph.calculators.values import Embeddings
from calcgraph.proto.calculators_pb2 import PoolingOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.fingerprint import FINGERPRINT
from calcgraph.runtime.plan import NodePlan

Hidden = NDArray[np.float32]

METHODS: Mapping[Method, Callable[[Hidden], Hidden]] = {
    Method.CLS: lambda hidden: hidden[0],
    Method.LAST: lambda hidden: hidden[-1],
    Method.MEAN: lambda hidden: hidden.mean(axis=0),
}


class Pooling(Calculator):
    """CLS: the first token's vector. LAST: the last one's. MEAN: their average.

    Directly behind the encoder it runs inside the compiled model, and this node only passes on.
    """

    inputs = {"EMBEDDINGS": Embeddings}
    outputs = {"EMBEDDINGS": Embeddings}
    options = PoolingOptions
    light = True
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        pooling_method(contract.options)

    def open(self, cc: CalculatorContext) -> None:
        self.method = pooling_method(cc.options)

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs["EMBEDDINGS"].add(pool(cc.inputs["EMBEDDINGS"].value, self.method))

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        assert isinstance(node.options, PoolingOptions)
        name = pooling_method(node.options).name
        return {"pooling": name, FINGERPRINT: {"pooling": name}}


def pooling_method(options: PoolingOptions) -> Method:
    """What the graph asks for. There is no default: a wrong pooling gives wrong vectors silently."""
    if not options.HasField("pooling"):
        raise ValueError("set 'pooling' to CLS, LAST or MEAN, as the model was trained")
    return Method[PoolingOptions.Pooling.Name(options.pooling)]


def pool(embeddings: Embeddings, method: Method) -> Embeddings:
    """One vector a sequence. Raises ValueError when another pooling was already done."""
    if embeddings.hidden is None:
        if embeddings.pooling is not method:
            raise ValueError(
                f"expected token embeddings, found {embeddings.pooling}-pooled vectors"
            )
        return embeddings
    vectors = np.stack([METHODS[method](hidden) for hidden in embeddings.hidden])
    return Embeddings(vectors=vectors, pooling=method)
