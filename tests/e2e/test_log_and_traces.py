"""The flags for the log and for traces, given to a real server."""

import json
import signal
from collections.abc import Callable

from .conftest import Running


def test_the_log_is_json_and_a_collector_that_is_away_keeps_nobody(
    slow: Callable[..., list[str]], launch: Callable[..., Running]
) -> None:
    flags = ["--log_format", "json", "--otlp_endpoint", "http://127.0.0.1:9"]
    server = launch("serve", *slow(), "--rest_port", "0", *flags)
    status, _ = server.post("/v3/embeddings", {"model": "nobody", "input": "the input"})
    assert status == 404
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    lines = [json.loads(line) for line in server.log.splitlines()]
    (failed,) = [line for line in lines if line["logger"] == "calcgraph.requests"]
    told = (failed["status"], failed["reason"], failed["model"], failed["surface"])
    assert told == (404, "model_not_found", "nobody", "openai")
    assert len(failed["trace_id"]) == 32
    assert "the input" not in server.log
