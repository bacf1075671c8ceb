"""Servers that send their traces to a collector of the test's own."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from calcgraph.servers.tracing.open_telemetry import Tracing

_SPEC = importlib.util.spec_from_file_location("collector", Path(__file__).parent / "collector.py")
assert _SPEC is not None
assert _SPEC.loader is not None
collector = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(collector)


@pytest.fixture(params=["http/protobuf", "grpc"])
def traced(
    request: pytest.FixtureRequest,
    serve: Callable[..., AbstractContextManager[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Any, Any]]:
    """A server and the collector of its spans, over either protocol of OTLP."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", request.param)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    collect = collector.grpc_collector if request.param == "grpc" else collector.http_collector
    with ExitStack() as opened:
        collected = opened.enter_context(collect())
        tracing = Tracing(collected.endpoint)
        opened.callback(tracing.close)
        yield opened.enter_context(serve(tmp_path, tracing=tracing)), collected
