"""Ready, live and started told apart; stopping in the right order; what the exit status says."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

PROBES = ("/livez", "/readyz", "/startupz")


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        return port


def status(port: int | str, path: str) -> int | None:
    """None when nobody listens."""
    address = port if isinstance(port, str) else f"127.0.0.1:{port}"
    with closing(HTTPConnection(address, timeout=10)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except ConnectionError:
            return None


def probes(port: int) -> list[int | None]:
    return [status(port, path) for path in PROBES]


def test_starting_ready_and_live_are_told_apart(
    spawn: Any, slow: Any, tmp_path: Path, eventually: Any
) -> None:
    go, health = tmp_path / "go", free()
    flags = ["--rest_port", "0", "--health_port", str(health)]
    process = spawn("serve", *slow(load_until=go), *flags)
    assert eventually(lambda: status(health, "/livez") == 200)
    assert probes(health) == [200, 503, 503]
    go.touch()
    assert "ready: REST" in process.stdout.readline()
    assert eventually(lambda: probes(health) == [200, 200, 200])
    assert [status(health, f"/v2/health/{what}") for what in ("live", "ready")] == [200, 200]
    assert status(health, "/v3/models") == 404


def test_an_occupied_health_port_is_told(refusal: Any, slow: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        error = refusal("serve", *slow(), "--rest_port", "0", "--health_port", port)
    assert f"(--health_port {port})" in error


@pytest.fixture
def broken(tmp_path: Path, slow: Any) -> list[str | Path]:
    """Two models, of which one has no graph that works."""
    import json

    flags = slow()
    (tmp_path / "broken.pbtxt").write_text('node { calculator: "Nobody" }')
    entries = [
        {"name": "good", "base_path": str(tmp_path)},
        {"name": "bad", "base_path": str(tmp_path), "graph_path": "broken.pbtxt"},
    ]
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_config_list": [], "mediapipe_config_list": entries}))
    return ["--config_path", config, *flags[-2:], "--rest_port", "0"]


def test_a_model_that_cannot_be_loaded_ends_the_start_with_status_1(
    refusal: Any, broken: Any
) -> None:
    assert "model 'bad' cannot be loaded" in refusal("serve", *broken)


def test_the_others_are_served_if_that_is_wanted_and_the_server_is_not_ready(
    spawn: Any, broken: Any, tmp_path: Path, eventually: Any
) -> None:
    health = free()
    flags = ["--on_load_error", "serve", "--health_port", str(health)]
    process = spawn("serve", *broken, *flags)
    line = process.stdout.readline()
    assert "not ready: REST" in line
    assert line.endswith("models: good, not loaded: bad\n")
    match = re.search(r"http://(\S+),", line)
    assert match is not None
    assert eventually(lambda: probes(health) == [200, 503, 200])
    assert status(match[1], "/v2/health/ready") == 503
    assert status(match[1], "/v2/models/good/ready") == 200
    assert status(match[1], "/v2/models/bad/ready") == 503
    assert "model 'bad' cannot be loaded" in (tmp_path / "stderr").read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_it_is_not_ready_before_it_stops_taking_requests(
    launch: Any, slow: Any, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    health = free()
    flags = ["--rest_port", "0", "--health_port", str(health), "--shutdown-grace-seconds", "600"]
    server = launch("serve", *slow(), *flags)
    assert eventually(lambda: status(health, "/readyz") == 200)
    server.process.send_signal(signal.SIGTERM)
    assert eventually(lambda: status(server.rest, "/v2/health/ready") == 503)
    assert eventually(lambda: probes(health) == [200, 503, 200])
    with closing(HTTPConnection(server.rest, timeout=10)) as connection:
        connection.request("POST", "/v3/embeddings", '{"model": "slow"}')
        response = connection.getresponse()
        assert (response.status, response.getheader("Connection")) == (200, "close")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 128 + signal.SIGTERM


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_logs_hold_no_keys_and_texts_only_if_that_was_asked(
    launch: Any, minilm: Path, tmp_path: Path, eventually: Any, level: str
) -> None:
    (tmp_path / "key").write_text("the-secret-key")
    flags = ["--rest_port", "0", "--log_level", level, "--api_key_file", tmp_path / "key"]
    server = launch("serve", "--model_name", "m", "--model_path", minilm, *flags)
    text = "a private sentence"
    with closing(HTTPConnection(server.rest, timeout=60)) as connection:
        for key, body, expected in (
            ("the-secret-key", f'{{"model": "m", "input": "{text}"}}', 200),
            ("the-secret-key", f'{{"model": "m", "input": "{text * 400}"}}', 400),
            ("the-secret-key", f'{{"model": "m", "input": "x", "encoding_format": "{text}"}}', 400),
            ("the-secret-key", f'{{"input": "{text}', 400),
            ("another-secret-key", f'{{"model": "m", "input": "{text}"}}', 401),
        ):
            headers = {"Authorization": f"Bearer {key}"}
            connection.request("POST", "/v3/embeddings", body, headers)
            response = connection.getresponse()
            response.read()
            assert response.status == expected
    assert eventually(lambda: server.log.count("status=401") == 1)
    assert level == "DEBUG" or text not in server.log
    assert "secret-key" not in server.log
