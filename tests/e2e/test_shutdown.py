"""How the server stops."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def drain_s() -> float:
    """How long the server waits for its requests."""
    return 30.0


@pytest.fixture
def busy(launch: Any, slow: Any, tmp_path: Path, eventually: Any, drain_s: float) -> Any:
    """A server with a request that ends once the file `go` exists, and that request's answer."""
    go = tmp_path / "go"
    flags = ["--rest_port", "0", "--port", "0", "--drain_seconds", str(drain_s)]
    server = launch("serve", *slow(answer_until=go), *flags)
    answers: list[Any] = []

    def ask() -> None:
        try:
            answers.append(server.post("/v3/embeddings", {"model": "slow"}))
        except (ConnectionError, OSError) as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert eventually(lambda: (tmp_path / "go.asked").exists())
    yield server, go, thread, answers
    go.touch()
    thread.join(20)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_idle_server_ends_with_status_0(launch: Any, slow: Any, number: int) -> None:
    server = launch("serve", *slow(), "--rest_port", "0", "--port", "0")
    server.process.send_signal(number)
    assert server.process.wait(10) == 0
    assert "Traceback" not in server.log


@pytest.mark.parametrize("number", SIGNALS)
def test_a_running_request_is_answered_and_no_other_taken(
    busy: Any, eventually: Any, number: int
) -> None:
    """KServe R13."""
    server, go, thread, answers = busy
    server.process.send_signal(number)

    def refuses() -> bool:
        try:
            server.get("/v2/health/live")
        except ConnectionError:
            return True
        return False

    assert eventually(refuses)
    assert server.process.poll() is None
    go.touch()
    thread.join(20)
    assert answers == [(200, {"slow": True})]
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("drain_s", [0.1])
def test_a_request_that_hangs_does_not_hold_the_server_beyond_the_drain(busy: Any) -> None:
    server, _, thread, answers = busy
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    thread.join(20)
    assert isinstance(answers[0], Exception)
    assert "still works after the drain" in server.log
    assert "Traceback" not in server.log


def test_a_second_signal_does_not_wait(busy: Any, eventually: Any) -> None:
    server, _, thread, answers = busy
    server.process.send_signal(signal.SIGTERM)
    assert eventually(lambda: "stopping on SIGTERM" in server.log)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(5) == 128 + signal.SIGTERM
    thread.join(20)
    assert isinstance(answers[0], Exception)
