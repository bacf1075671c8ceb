"""From vectors to vectors of unit length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calcgraph.calculators.dimensions import unit_length
from calcgraph.calculators.values import Embeddings, require_vectors
from calcgraph.proto.calculators_pb2 import NormalizeOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.fingerprint import FINGERPRINT
from calcgraph.runtime.plan import NodePlan


class Normalize(Calculator):
    """Divides each vector by its L2 norm. Fused into the compiled model when it follows Pooling."""

    inputs = {"EMBEDDINGS": Embeddings}
    outputs = {"EMBEDDINGS": Embeddings}
    options = NormalizeOptions
    light = True
    stateless = True

    def process(self, cc: CalculatorContext) -> None:
        embeddings: Embeddings = cc.inputs["EMBEDDINGS"].value
        vectors = require_vectors(embeddings, cc.node_name)
        if cc.options.enabled and not embeddings.normalized:
            embeddings = replace(embeddings, vectors=unit_length(vectors), normalized=True)
        cc.outputs["EMBEDDINGS"].add(embeddings)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        assert isinstance(node.options, NormalizeOptions)
        enabled = node.options.enabled
        return {"normalized": enabled, FINGERPRINT: {"normalized": enabled}}
