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


@pytest.fixture(scope="module", params=["http/protobuf", "grpc"])
def tracing_server(
    request: pytest.FixtureRequest,
    serve: Callable[..., AbstractContextManager[Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Any, Any]]:
    """A server and the collector of its spans, over either protocol of OTLP."""
    collect = collector.grpc_collector if request.param == "grpc" else collector.http_collector
    with ExitStack() as opened:
        patch = opened.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", request.param)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        collected = opened.enter_context(collect())
        tracing = Tracing(collected.endpoint)
        opened.callback(tracing.close)
        folder = tmp_path_factory.mktemp("traced")
        yield opened.enter_context(serve(folder, tracing=tracing)), collected


@pytest.fixture
def traced(tracing_server: tuple[Any, Any]) -> tuple[Any, Any]:
    """The same, with no spans of other tests."""
    _, collected = tracing_server
    collected.forget()
    return tracing_server
