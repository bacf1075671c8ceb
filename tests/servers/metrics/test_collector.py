"""calcgraph's own metrics: what was asked, how it ended, what it took."""

import socket
import time
from typing import Any

import grpc

REQUESTS = "calcgraph_requests_total"


def test_requests_are_counted_by_model_surface_and_outcome(counted: Any) -> None:
    assert counted.embed("echo", "a") == counted.embed("echo", "b") == 200
    assert counted.embed("echo", "refuse") == 400
    assert counted.infer("echo") is grpc.StatusCode.OK
    assert counted.infer("echo", fail=True) is grpc.StatusCode.INTERNAL
    counted.served.call("GET", "/v2/models/ns/echo/ready")
    assert counted.value(REQUESTS, model="echo", surface="openai", outcome="ok") == 2
    assert counted.value(REQUESTS, model="echo", surface="openai", outcome="invalid_argument") == 1
    assert counted.value(REQUESTS, model="echo", surface="kserve_grpc", outcome="ok") == 1
    assert counted.value(REQUESTS, model="echo", surface="kserve_grpc", outcome="internal") == 1
    assert counted.value(REQUESTS, model="ns/echo", method="ModelReady") == 1


def test_a_failed_request_is_in_no_latency(counted: Any) -> None:
    counted.embed("echo", "a")
    counted.embed("echo", "fail")
    labels = {"model": "echo", "surface": "openai"}
    assert counted.value("calcgraph_request_seconds_count", **labels) == 1
    assert counted.value("calcgraph_request_seconds_sum", **labels) > 0
    assert counted.value("calcgraph_request_seconds_bucket", le="+Inf", **labels) == 1


def test_names_that_clients_invent_share_one_count(counted: Any) -> None:
    for name in ("nobody", "nothing", "never"):
        assert counted.embed(name, "a") == 404
    assert counted.value(REQUESTS, model="", surface="openai", outcome="not_found") == 3
    assert "nobody" not in counted.text()


def test_what_names_no_model_is_counted_where_it_fails(counted: Any) -> None:
    assert counted.served.call("POST", "/v3/embeddings", "{").status == 400
    assert counted.served.call("GET", "/nowhere").status == 404
    assert counted.served.call("GET", "/v2/health/live").status == 200
    assert counted.value(REQUESTS, surface="openai", method="") == 1
    assert counted.value(REQUESTS, surface="other") == 1


def test_a_client_that_leaves_is_no_failure(counted: Any, nodes: Any) -> None:
    body = '{"model": "wait", "input": "x"}'
    head = f"POST /v3/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", counted.served.port), 10) as connection:
        connection.sendall((head + body).encode())
        assert nodes["WaitForever"].asked.acquire(timeout=10)
        assert counted.now("calcgraph_requests_running", model="wait") == 1
    assert nodes["WaitForever"].cancelled.acquire(timeout=10)
    until = time.monotonic() + 10
    while counted.now("calcgraph_requests_running", model="wait"):
        assert time.monotonic() < until
    assert counted.value(REQUESTS, model="wait", outcome="cancelled") == 1
    assert counted.now("ovms_requests_fail", name="wait") == 0


def test_loads_and_states_of_models_are_told(counted: Any) -> None:
    assert counted.now("calcgraph_model_loads_total", model="echo", outcome="ok") == 1
    assert counted.now("calcgraph_model_load_seconds", model="echo") > 0
    assert counted.now("calcgraph_model_state", model="echo", state="AVAILABLE") == 1
    assert counted.now("calcgraph_model_state", model="unready", state="AVAILABLE") == 0
    assert counted.now("calcgraph_model_state", model="unready", state="LOADING") == 1


def test_the_process_tells_its_memory(counted: Any) -> None:
    assert counted.now("process_resident_memory_bytes") > 1 << 20
