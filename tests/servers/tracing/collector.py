"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP and over gRPC, and keeps the spans."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATIENCE_S = 20.0


class Collected:
    """The spans that came, in order."""

    def __init__(self, endpoint: str = "") -> None:
        self.endpoint = endpoint
        self._spans: list[Span] = []
        self._came = threading.Condition()

    def forget(self) -> None:
        """Whatever came until now."""
        with self._came:
            self._spans.clear()

    def take(self, request: ExportTraceServiceRequest) -> None:
        with self._came:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self._spans += scope.spans
            self._came.notify_all()

    def until(self, condition: Callable[[list[Span]], Any]) -> list[Span]:
        """All spans, once the condition holds."""
        end = time.monotonic() + PATIENCE_S
        with self._came:
            while not condition(self._spans):
                left = end - time.monotonic()
                assert left > 0, [span.name for span in self._spans]
                self._came.wait(left)
            return list(self._spans)


@contextmanager
def http_collector() -> Iterator[Collected]:
    collected = Collected()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            collected.take(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: Any) -> None:
            """Not a word."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        collected.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield collected
        finally:
            server.shutdown()
            thread.join()


class _Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collected: Collected) -> None:
        self._collected = collected

    def Export(self, request: ExportTraceServiceRequest, context: Any) -> Any:
        self._collected.take(request)
        return trace_service_pb2.ExportTraceServiceResponse()


@contextmanager
def grpc_collector() -> Iterator[Collected]:
    collected = Collected()
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Receiver(collected), server)
        collected.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield collected
        finally:
            server.stop(0).wait()
