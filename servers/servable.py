"""What a loaded version of a model is to those who serve it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from calcgraph.runtime.payload import (
    HttpRequest,
    HttpResponse,
    InferRequest,
    InferResponse,
    Parameter,
)

if TYPE_CHECKING:
    from calcgraph.runtime.measurement import Measurement
    from calcgraph.runtime.model_metadata import ModelMetadata
    from calcgraph.runtime.stream_session import StreamSession


class Servable(Protocol):
    """A loaded model; `calcgraph.runtime.executor.GraphExecutor` is one."""

    @property
    def metadata(self) -> ModelMetadata: ...

    @property
    def ready(self) -> bool: ...

    def measurements(self) -> Iterable[Measurement]: ...

    async def infer(self, request: HttpRequest | InferRequest) -> HttpResponse | InferResponse: ...

    def open_stream(self, parameters: Mapping[str, Parameter]) -> StreamSession: ...

    async def close(self) -> None: ...
