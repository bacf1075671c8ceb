"""One request to a front end, from its arrival to its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Protocol, Self

from calcgraph.runtime.request_trace import CURRENT, RequestTrace
from calcgraph.servers.errors import Answer
from calcgraph.servers.tracing.server_timing import HEADER, is_asked_for, server_timing


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
        "answer_headers",
        "failure",
        "headers",
        "method",
        "model",
        "operation",
        "outcome",
        "request_id",
        "seconds",
        "span",
        "start",
        "surface",
        "trace",
        "trace_id",
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
        self.answer_headers: dict[str, str] = {}
        """What the answer says of its trace; of metadata where there are no headers."""
        self.trace: RequestTrace | None = None
        """Set before the exchange is entered, if its nodes are to be timed."""
        self.trace_id = ""
        self.span: Any = None
        """What a tracer has opened for it."""
        self.start = time.perf_counter()
        self.seconds = 0.0

    def __enter__(self) -> Self:
        _current.set(self)
        if self.trace is not None:
            CURRENT.set(self.trace)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self.start
        if self.trace is not None:
            CURRENT.set(None)  # the next request of the connection is another's
        if self.failure is not None:
            self.outcome = self.failure.code.name.lower()
        elif error is not None:
            self.outcome = CANCELLED
        for observer in self._observers:
            observer.on_end(self)

    def told(self) -> dict[str, str]:
        """Headers for the answer, which stands now: what the nodes took, where that was asked for."""
        if self.trace is not None and is_asked_for(self.headers):
            elapsed = time.perf_counter() - self.start
            self.answer_headers[HEADER] = server_timing(self.trace, elapsed)
        return self.answer_headers

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
