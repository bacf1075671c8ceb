"""How the server starts and refuses to start."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

Refusal = Callable[..., str]


@pytest.fixture
def occupied() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.fixture
def free() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        return port


def health(port: int, what: str) -> int | None:
    """The status of a health check; None when nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", f"/v2/health/{what}")
        return connection.getresponse().status
    except ConnectionError:
        return None
    finally:
        connection.close()


def test_one_line_tells_where_to_ask_for_what(launch: Any, slow: Any) -> None:
    server = launch("serve", *slow(), "--rest_port", "0", "--port", "0")
    assert server.line == (
        f"calcgraph 0.1.0 ready: REST http://{server.rest}, gRPC {server.grpc}, models: slow\n"
    )
    assert server.rest.startswith("127.0.0.1:")
    assert server.grpc.startswith("127.0.0.1:")
    assert server.post("/v3/embeddings", {"model": "slow"}) == (200, {"slow": True})


def test_ovms_command_line_starts_the_server_and_names_what_has_no_effect(
    launch: Any, slow: Any
) -> None:
    server = launch("--rest-port", "0", *slow(), "--rest_workers", "8")
    assert server.get("/v2/health/ready") == (200, {"ready": True})
    assert server.grpc == ""
    assert "--rest_workers has no effect" in server.log


def test_grpc_may_be_served_alone(launch: Any, slow: Any) -> None:
    server = launch("serve", *slow(), "--port", "0")
    assert (server.rest, bool(server.grpc)) == ("", True)


def test_the_log_may_go_to_a_file(launch: Any, slow: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = launch("serve", *slow(), "--rest_port", "0", "--log_path", log, "--rest_workers", "2")
    assert "--rest_workers has no effect" in log.read_text()
    assert server.log == ""


def test_a_server_that_loads_lives_and_is_not_ready(
    spawn: Any, slow: Any, free: int, tmp_path: Path, eventually: Any
) -> None:
    go = tmp_path / "go"
    process = spawn("serve", *slow(load_until=go), "--rest_port", str(free))
    assert eventually(lambda: health(free, "live") == 200)
    assert health(free, "ready") == 503
    go.touch()
    assert "ready: REST" in process.stdout.readline()
    assert health(free, "ready") == 200


@pytest.mark.parametrize("flag", ["--rest_port", "--port"])
def test_an_occupied_port_is_told(refusal: Refusal, slow: Any, occupied: int, flag: str) -> None:
    error = refusal("serve", *slow(), flag, str(occupied))
    assert f"cannot listen on 127.0.0.1:{occupied}: another process listens there" in error
    assert f"({flag} {occupied})" in error


def test_a_second_server_does_not_share_the_grpc_port_of_the_first(
    launch: Any, refusal: Refusal, slow: Any
) -> None:
    port = launch("serve", *slow(), "--port", "0").grpc.rpartition(":")[2]
    assert "another process listens there" in refusal("serve", *slow(), "--port", port)


@pytest.mark.parametrize(
    ("flag", "bind", "front_end"),
    [
        ("--rest_port", "--rest_bind_address", "REST"),
        ("--port", "--grpc_bind_address", "gRPC"),
    ],
)
def test_an_address_that_is_not_ours_is_told(
    refusal: Refusal, slow: Any, flag: str, bind: str, front_end: str
) -> None:
    error = refusal("serve", *slow(), flag, "0", bind, "192.0.2.1", "--insecure")
    assert f"{front_end} cannot listen on 192.0.2.1:0: this machine has no such address" in error


def test_a_wrong_configuration_is_told(refusal: Refusal, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"model_config_list": [{"config": {"name": "m", "base_pth": "x"}}]})
    )
    error = refusal("--config_path", config, "--rest_port", "0")
    assert error == (
        f"calcgraph: {config}:1: model_config_list[0].config: "
        "unknown key \"base_pth\"; did you mean 'base_path'?\n"
    )


@pytest.mark.parametrize(
    ("wrong", "right", "expected"),
    [
        ('calculator: "Tokenizer"', 'calculator: "Tokeniser"', ["did you mean 'Tokenizer'?"]),
        ('"TOKENS:tokens"\n  node_op', '"TOKENS:tokns"\n  node_op', ["'tokens'", "'tokns'"]),
        ("truncate: false", "trunkate: false", ["trunkate", "did you mean 'truncate'?"]),
        ('target_device: "CPU"', 'target_device: "GPU.7"', ["GPU.7", "CPU"]),
        ('models_path: "./"', 'models_path: "./gone"', ["gone"]),
    ],
)
def test_a_mistake_in_the_graph_is_told_with_its_place(
    refusal: Refusal, minilm: Path, tmp_path: Path, wrong: str, right: str, expected: list[str]
) -> None:
    text = (minilm / "graph.pbtxt").read_text()
    assert wrong in text
    graph = tmp_path / "graph.pbtxt"
    graph.write_text(text.replace(wrong, right, 1))
    config = tmp_path / "config.json"
    entry = {"name": "m", "base_path": str(minilm), "graph_path": str(graph)}
    config.write_text(json.dumps({"mediapipe_config_list": [entry]}))
    error = refusal("--config_path", config, "--rest_port", "0")
    assert "model 'm' cannot be loaded" in error
    assert f"{graph}:" in error
    for words in expected:
        assert words in error


@pytest.mark.parametrize("bind", ["--rest_bind_address", "--grpc_bind_address"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "some.host"])
def test_the_server_does_not_listen_beyond_this_machine_unprotected(
    refusal: Refusal, slow: Any, bind: str, host: str
) -> None:
    error = refusal("serve", *slow(), "--rest_port", "0", "--port", "0", bind, host)
    assert f"{host} can be reached from other machines" in error
    assert "--api_key_file" in error
    assert "--insecure" in error


def test_a_key_or_a_flag_lets_it_listen_beyond_this_machine(
    launch: Any, slow: Any, tmp_path: Path
) -> None:
    everywhere = ["--rest_port", "0", "--rest_bind_address", "0.0.0.0"]
    (tmp_path / "key").write_text("secret")
    server = launch("serve", *slow(), *everywhere, "--api_key_file", tmp_path / "key")
    assert server.rest.startswith("0.0.0.0:")
    assert "keys travel to 0.0.0.0 unencrypted" in server.log
    assert launch("serve", *slow(), *everywhere, "--insecure").rest.startswith("0.0.0.0:")
