"""Requests as OpenTelemetry spans, sent to a collector by OTLP: one for the request, one for each node's call.

Batches are spans of their own, since many requests share one; the call of the node that waited for a batch
has a link to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Final

from calcgraph.runtime.calls import Call, nanoseconds
from calcgraph.runtime.request_trace import Batch, RequestTrace
from calcgraph.servers import product
from calcgraph.servers.model_config import ConfigError
from calcgraph.servers.observation.exchange import Exchange, Surface

ENDPOINT_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own; either turns tracing on."""
_PROTOCOL_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_GRPC_PORT: Final = ":4317"
_SEND_TIMEOUT_S: Final = 2
"""A collector that does not answer must not keep a server from ending."""


class Tracing:
    """Observes exchanges. Belongs to one server, which closes it."""

    def __init__(self, endpoint: str | None) -> None:
        """`endpoint` as in http://host:4318; None leaves all to OpenTelemetry's variables.

        Raises ConfigError when the extra `otel` is not installed.
        """
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            raise ConfigError(
                f"traces need OpenTelemetry, which is not installed ({error.name}): "
                f"pip install '{product.NAME}[otel]'"
            ) from None
        named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": product.NAME}
        self._provider = TracerProvider(resource=Resource.create(named))
        self._provider.add_span_processor(BatchSpanProcessor(_exporter(endpoint)))
        self._tracer = self._provider.get_tracer(product.NAME, product.VERSION)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, exchange: Exchange) -> None:
        """Open the request's span below the one that its `traceparent` names, if it is to be sampled."""
        from opentelemetry.trace import SpanKind, set_span_in_context

        parent = self._propagator.extract({k.lower(): v for k, v in exchange.headers.items()})
        span = self._tracer.start_span(
            exchange.surface.value, parent, SpanKind.SERVER, start_time=nanoseconds()
        )
        exchange.span = span
        self._propagator.inject(exchange.answer_headers, set_span_in_context(span))
        if span.is_recording():
            exchange.trace_id = f"{span.get_span_context().trace_id:032x}"
            exchange.trace = exchange.trace or RequestTrace()

    def on_model(self, exchange: Exchange) -> None:
        """The span is named at its end."""

    def on_end(self, exchange: Exchange) -> None:
        span = exchange.span
        if span is None or not span.is_recording():
            return
        if exchange.method is not None:
            span.update_name(f"{exchange.method.value} {exchange.surface.value}")
        span.set_attributes(dict(_attributes(exchange)))
        if exchange.is_servers_fault:
            from opentelemetry.trace import StatusCode

            span.set_status(StatusCode.ERROR, exchange.outcome)
        if exchange.trace is not None:
            self._nodes(exchange.trace, span)
        span.end(nanoseconds())

    def _nodes(self, trace: RequestTrace, parent: Any) -> None:
        from opentelemetry.trace import Link, set_span_in_context

        context = set_span_in_context(parent)
        for call in trace.calls:
            links = [Link(self._batch(batch)) for batch in _during(call, trace)]
            span = self._tracer.start_span(
                call.node.name,
                context,
                attributes={"calcgraph.calculator": call.node.calculator.__name__},
                links=links,
                start_time=call.start,
            )
            span.end(call.finish)

    def _batch(self, batch: Batch) -> Any:
        """The span of a batch: made by the first request that tells of it, a trace of its own."""
        if batch.span is None:
            from opentelemetry.context import Context

            span = self._tracer.start_span(
                "batch",
                Context(),
                attributes={
                    "calcgraph.texts": batch.texts,
                    "calcgraph.tokens": batch.tokens,
                    "calcgraph.slots": batch.slots,
                },
                start_time=batch.start,
            )
            span.end(batch.finish or nanoseconds())
            batch.span = span.get_span_context()
        return batch.span

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def wanted(endpoint: str | None) -> bool:
    return bool(endpoint) or any(os.environ.get(name) for name in ENDPOINT_VARIABLES)


def _attributes(exchange: Exchange) -> Iterable[tuple[str, Any]]:
    yield "calcgraph.model", exchange.model
    yield "calcgraph.outcome", exchange.outcome
    yield "calcgraph.request_id", exchange.request_id
    if exchange.surface is Surface.KSERVE_GRPC:
        yield "rpc.system", "grpc"
        yield "rpc.method", exchange.operation
        yield "rpc.grpc.status_code", exchange.failure.code.value if exchange.failure else 0
    else:
        method, _, path = exchange.operation.partition(" ")
        yield "http.request.method", method
        yield "url.path", path
        yield "http.response.status_code", exchange.failure.status if exchange.failure else 200


def _during(call: Call, trace: RequestTrace) -> Sequence[Batch]:
    return [b for b in trace.batches(call.node.name) if call.start <= b.start <= call.finish]


def _exporter(endpoint: str | None) -> Any:
    if _protocol(endpoint) == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as by_grpc

        return by_grpc.OTLPSpanExporter(endpoint=endpoint, timeout=_SEND_TIMEOUT_S)
    from opentelemetry.exporter.otlp.proto.http import trace_exporter as by_http

    path = f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None
    return by_http.OTLPSpanExporter(endpoint=path, timeout=_SEND_TIMEOUT_S)


def _protocol(endpoint: str | None) -> str:
    """As the variables say; else gRPC at its own port, and HTTP at any other."""
    for name in _PROTOCOL_VARIABLES:
        if said := os.environ.get(name):
            return said
    known = endpoint or next(filter(None, map(os.environ.get, ENDPOINT_VARIABLES)), "")
    return "grpc" if known.rstrip("/").endswith(_GRPC_PORT) else "http/protobuf"
