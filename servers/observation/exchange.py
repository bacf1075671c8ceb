"""One request to a front end, from its arrival to its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self

from calcgraph.servers.errors import Answer


class Surface(StrEnum):
    """Where a request came in, and in which dialect."""

    OPENAI = "openai"
    KSERVE_REST = "kserve_rest"
    KSERVE_GRPC = "kserve_grpc"
    OTHER = "other"
    """Metrics, documentation: counted only where they fail."""


class Method(StrEnum):
    """What is asked of a model, in OVMS's words."""

    UNARY = "Unary"
    STREAM = "Stream"
    MODEL_INFER = "ModelInfer"
    MODEL_INFER_STREAM = "ModelInferStream"
    MODEL_METADATA = "ModelMetadata"
    MODEL_READY = "ModelReady"

    @property
    def runs_graph(self) -> bool:
        return self not in (Method.MODEL_METADATA, Method.MODEL_READY)


OK: Final = "ok"
CANCELLED: Final = "cancelled"


class Observer(Protocol):
    """Who is told of exchanges."""

    def on_model(self, exchange: Exchange) -> None:
        """It is known which model is asked."""

    def on_end(self, exchange: Exchange) -> None:
        """The answer stands, or the client has left."""


class Exchange:
    """Entered when a request arrives, left when its answer stands; within, it is the current one."""

    __slots__ = (
        "_observers",
        "accepted",
        "failure",
        "headers",
        "method",
        "model",
        "operation",
        "outcome",
        "request_id",
        "seconds",
        "start",
        "surface",
    )

    def __init__(
        self,
        observers: tuple[Observer, ...],
        surface: Surface,
        operation: str,
        request_id: str,
        headers: Mapping[str, str],
    ) -> None:
        self._observers = observers
        self.surface = surface
        self.operation = operation
        """As `POST /v3/embeddings` or `ModelInfer`; it may quote the client."""
        self.request_id = request_id
        self.headers = headers
        self.model = ""
        """The name that the client asked for, which need not be served."""
        self.method: Method | None = None
        """None for what concerns no model."""
        self.accepted = False
        """The request was handed to the model."""
        self.failure: Answer | None = None
        self.outcome = OK
        self.start = time.perf_counter()
        self.seconds = 0.0

    def __enter__(self) -> Self:
        _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self.start
        if self.failure is not None:
            self.outcome = self.failure.code.name.lower()
        elif error is not None:
            self.outcome = CANCELLED
        for observer in self._observers:
            observer.on_end(self)

    def is_about(self, model: str, method: Method) -> None:
        self.model = model
        self.method = method
        for observer in self._observers:
            observer.on_model(self)

    @property
    def failed(self) -> bool:
        """Whether the answer is an error; a client that left got none."""
        return self.failure is not None

    @property
    def is_servers_fault(self) -> bool:
        return self.failure is not None and self.failure.status >= 500


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def current() -> Exchange | None:
    """The exchange that the running code works for."""
    return _current.get()


def about(model: str, method: Method) -> None:
    """Tell the current exchange which model is asked, and for what."""
    exchange = _current.get()
    if exchange is not None:
        exchange.is_about(model, method)


def accepted() -> None:
    """Tell the current exchange that the model's graph has it now."""
    exchange = _current.get()
    if exchange is not None:
        exchange.accepted = True
