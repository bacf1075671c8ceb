"""Spans as the real exporters send them, below the trace that the caller is in."""

from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.runtime.calls import Call, Phase
from calcgraph.runtime.request_trace import Batch, RequestTrace
from calcgraph.servers.observation.exchange import Exchange, Surface
from calcgraph.servers.tracing.open_telemetry import Tracing, wanted

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
UNSAMPLED = f"00-{TRACE}-{PARENT}-00"
BODY = '{"model": "echo", "input": "a"}'


def attributes(span: Span) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
    }


def named(spans: list[Span], name: str) -> Any:
    return next((span for span in spans if span.name == name), None)


def test_a_request_is_a_span_with_one_below_it_for_each_node(traced: Any) -> None:
    served, collected = traced
    answer = served.call("POST", "/v3/embeddings", BODY, traceparent=TRACEPARENT)
    spans = collected.until(lambda spans: named(spans, "Unary openai"))
    request, node = named(spans, "Unary openai"), named(spans, "EchoRequest")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert node.parent_span_id == request.span_id
    start, end = request.start_time_unix_nano, request.end_time_unix_nano
    assert start <= node.start_time_unix_nano <= node.end_time_unix_nano <= end
    assert request.kind == Span.SPAN_KIND_SERVER
    told = attributes(request)
    assert told["calcgraph.model"] == "echo"
    assert told["calcgraph.outcome"] == "ok"
    assert told["http.response.status_code"] == 200
    assert answer.headers["traceparent"] == f"00-{TRACE}-{request.span_id.hex()}-01"


def test_a_call_over_grpc_goes_on_with_its_callers_trace(traced: Any) -> None:
    served, collected = traced
    message = pb.ModelReadyRequest(name="echo")
    with grpc.insecure_channel(served.grpc_address) as channel:
        stub = GRPCInferenceServiceStub(channel)  # type: ignore[no-untyped-call]
        _, call = stub.ModelReady.with_call(message, metadata=[("traceparent", TRACEPARENT)])
    spans = collected.until(lambda spans: named(spans, "ModelReady kserve_grpc"))
    request = named(spans, "ModelReady kserve_grpc")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    trailing = dict(call.trailing_metadata())
    assert trailing["traceparent"] == f"00-{TRACE}-{request.span_id.hex()}-01"


def test_a_request_that_fails_says_how_and_the_servers_fault_is_an_error(traced: Any) -> None:
    served, collected = traced
    for text in ("refuse", "fail"):
        served.call("POST", "/v3/embeddings", BODY.replace('"a"', f'"{text}"'))
    spans = collected.until(lambda spans: sum(s.name == "Unary openai" for s in spans) == 2)
    refused, failed = [span for span in spans if span.name == "Unary openai"]
    assert attributes(refused)["http.response.status_code"] == 400
    assert refused.status.code == Status.STATUS_CODE_UNSET
    assert attributes(failed)["calcgraph.outcome"] == "internal"
    assert failed.status.code == Status.STATUS_CODE_ERROR


def test_what_the_caller_does_not_sample_is_not_sent(traced: Any) -> None:
    served, collected = traced
    served.call("POST", "/v3/embeddings", BODY, traceparent=UNSAMPLED)
    served.call("POST", "/v3/embeddings", BODY, traceparent=TRACEPARENT)
    spans = collected.until(lambda spans: named(spans, "Unary openai"))
    assert sum(span.name == "Unary openai" for span in spans) == 1


def test_requests_that_shared_a_batch_refer_to_one_span(traced: Any) -> None:
    _, collected = traced
    tracing = Tracing(collected.endpoint)
    batch = Batch(start=20, texts=2, tokens=9, slots=16, finish=30)
    for _ in range(2):
        exchange = Exchange((), Surface.OPENAI, "POST /v3/embeddings", "1", {})
        tracing.begin(exchange)
        assert isinstance(exchange.trace, RequestTrace)
        exchange.trace.on_call(encoder_call(10, 40))
        exchange.trace.batches("encoder").append(batch)
        tracing.on_end(exchange)
    tracing.close()
    spans = collected.until(lambda spans: sum(span.name == "openai" for span in spans) == 2)
    (shared,) = [span for span in spans if span.name == "batch"]
    assert attributes(shared)["calcgraph.tokens"] == 9
    assert not shared.parent_span_id
    links = [link.span_id for span in spans if span.name == "encoder" for link in span.links]
    assert links == [shared.span_id] * 2


def encoder_call(start: int, finish: int) -> Call:
    node: Any = SimpleNamespace(name="encoder", calculator=Batch)
    return Call(node, Phase.PROCESS, 0, start, finish, 0, (), ())


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch, served: Any) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert not wanted(None)
    assert wanted("http://127.0.0.1:4318")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert wanted(None)
    answer = served.call("POST", "/v3/embeddings", BODY, traceparent=TRACEPARENT)
    assert "traceparent" not in answer.headers
