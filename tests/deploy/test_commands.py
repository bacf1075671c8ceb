"""What the files of deploy/ start is what the command line takes."""

from typing import Any

import pytest

from calcgraph.servers.command_line import parse

from .conftest import commands


@pytest.mark.parametrize(("file", "command"), list(commands()), ids=lambda value: str(value)[:20])
def test_every_command_line_is_one_of_ours(file: str, command: list[str]) -> None:
    parsed = parse(command)
    assert parsed is not None, file
    args: Any = parsed[1]
    assert args.rest_port in (8000, 8080)
    assert args.log_format == "json"


@pytest.mark.parametrize(("file", "command"), list(commands()), ids=lambda value: str(value)[:20])
def test_none_listens_beyond_its_machine_unless_something_says_who_may_call(
    file: str, command: list[str]
) -> None:
    parsed = parse(command)
    assert parsed is not None
    args: Any = parsed[1]
    exposed = args.rest_bind_address != "127.0.0.1"
    # The image and the Deployment are given a key by whoever runs them.
    keyed = file in ("Dockerfile", "deployment.yaml")
    assert not exposed or keyed or args.insecure
