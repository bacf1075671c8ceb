"""What a front end puts into a graph and takes out of it, whatever the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calcgraph.runtime.terms import Terms

Parameter = bool | int | float | str


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One parsed JSON request, for example an OpenAI `embeddings` call."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    terms: Terms | None = None
    """None: it waits as long as it takes."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The bytes to answer with."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array of the Open Inference Protocol.

    `data` has `shape`; for the datatype BYTES it is an object array of `bytes`.
    """

    name: str
    datatype: str
    data: np.ndarray[Any, np.dtype[Any]]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape)


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor as it travels, its bytes not looked into: its datatype may be any word."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    raw: bytes


AnyTensor = Tensor | RawTensor


@dataclass(frozen=True, slots=True)
class InferRequest:
    """One ModelInfer call of the Open Inference Protocol (KServe v2)."""

    model: str
    inputs: Sequence[Tensor]
    outputs: Sequence[str] = ()
    id: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of HTTP, or the metadata of gRPC, names in lower case."""
    raw_inputs: Sequence[RawTensor] = ()
    """Those that the model takes as they came: `ModelMetadata.raw_inputs` names them."""
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class InferResponse:
    """The answer to an `InferRequest`; the front end adds model and id."""

    outputs: Sequence[AnyTensor]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    version: str = "1"
    """Of the model; the data plane knows it, no graph does."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What a model says of one input or output; -1 stands for a dimension that varies."""

    name: str
    datatype: str
    shape: tuple[int, ...]
