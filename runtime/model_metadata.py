"""What a client may know of a model."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calcgraph.runtime.fingerprint import FINGERPRINT, by_options, fingerprint
from calcgraph.runtime.payload import TensorSpec
from calcgraph.runtime.plan import GraphPlan
from calcgraph.runtime.signature import Signature

STREAMS: Final = "stream_specs"
"""Under this key a node's `describe` may say what its streams carry: a TensorSpec by stream name."""
_PLATFORM: Final = "calcgraph"
"""What runs the model, unless a node says "platform" of itself."""


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What a client may know of a model."""

    name: str
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    details: Mapping[str, Any]
    """What the nodes say of themselves: dimensions, max_tokens, pooling and so on."""
    created: int
    """Seconds since the epoch."""
    fingerprint: str = ""
    """Another one means that the same request may be answered otherwise; also among the details."""
    versions: Sequence[str] = ("1",)
    platform: str = _PLATFORM
    raw_inputs: frozenset[str] = frozenset()
    """The inputs whose bytes the model takes undecoded (`InferRequest.raw_inputs`)."""


@dataclass(frozen=True, slots=True)
class NodesSaid:
    """What the nodes of one graph say of themselves, together."""

    details: Mapping[str, Any]
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    streams: Mapping[str, TensorSpec]
    fingerprint: str
    platform: str

    @classmethod
    def ask(cls, plan: GraphPlan, resources: Mapping[int, Any]) -> NodesSaid:
        """Ask every node's `describe`, in order."""
        details: dict[str, Any] = {}
        streams: dict[str, TensorSpec] = {}
        parts: list[Any] = []
        for node in plan.nodes:
            said = dict(node.calculator.describe(node, resources.get(node.id), dict(details)))
            parts.append(said.pop(FINGERPRINT) if FINGERPRINT in said else by_options(node))
            streams.update(said.pop(STREAMS, {}))
            details.update(said)
        details[FINGERPRINT] = fingerprint(parts)
        inputs, outputs = details.pop("inputs", ()), details.pop("outputs", ())
        platform = details.pop("platform", _PLATFORM)
        return cls(details, inputs, outputs, streams, details[FINGERPRINT], platform)


def metadata_of(name: str, said: NodesSaid, signature: Signature) -> ModelMetadata:
    """What a client is told."""
    return ModelMetadata(
        name=name,
        inputs=signature.inputs,
        outputs=signature.outputs,
        details=said.details,
        created=int(time.time()),
        fingerprint=said.fingerprint,
        platform=said.platform,
        raw_inputs=signature.raw_inputs,
    )
