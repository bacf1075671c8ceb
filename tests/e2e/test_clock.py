"""The server's clock is set while it serves: by a day, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from calcgraph.tools.published_model import DEFAULT_MODEL

pytest.importorskip("libfaketime")


@pytest.fixture
def set_clock(tmp_path: Path) -> Callable[[str], None]:
    """Set the servers' clock to an offset from the true one, as in '+1d'."""

    def write(offset: str) -> None:
        new = tmp_path / "offset.new"
        new.write_text(offset)
        new.replace(tmp_path / "offset")

    write("+0")
    return write


@pytest.fixture
def faked(tmp_path: Path, set_clock: Callable[[str], None]) -> dict[str, str]:
    """The environment of a process whose wall clock can be set. As on a real machine the monotonic
    clock goes on."""
    library = distribution("libfaketime").locate_file(
        "libfaketime/vendor/libfaketime/src/libfaketime.so.1"
    )
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "offset"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def test_requests_are_answered_whatever_the_clock_is_set_to(
    minilm: Path, launch: Any, faked: dict[str, str], set_clock: Callable[[str], None]
) -> None:
    name = DEFAULT_MODEL.name
    flags = [
        "--model_name",
        name,
        "--model_path",
        minilm,
        "--rest_port",
        "0",
        "--log_level",
        "DEBUG",
    ]
    server = launch("serve", *flags, environment=faked)
    before = server.embed(name, "the same text")
    for offset in ("+1d", "-1d", "+3650d", "+0"):
        set_clock(offset)
        for texts in (["the same text"], ["the same text"] * 200):
            after = server.embed(name, texts)
            assert float(after[0] @ before[0]) > 0.9999
        assert server.get("/v2/health/ready")[0] == 200
    server.process.terminate()
    assert server.process.wait(20) == 0
    years = {line[:4] for line in server.log.splitlines() if line[:2] == "20"}
    assert len(years) > 1, "the log shows that the clock was really set"
