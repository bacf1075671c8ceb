"""The compose file, read as the Compose specification has it."""

from pathlib import Path
from typing import Any

import compose_spec
import pytest


def test_it_is_a_compose_file_and_all_that_it_names_is_there(deploy: Path) -> None:
    compose = compose_spec.PyCompose.from_yaml((deploy / "compose.yaml").read_text())
    compose.validate()
    assert set(compose.service_names()) == {"calcgraph", "prometheus", "grafana"}


def test_a_word_that_compose_does_not_know_is_found() -> None:
    with pytest.raises(Exception, match="imagee"):
        compose_spec.PyCompose.from_yaml("services: {a: {imagee: b}}").validate()


def test_what_it_mounts_exists(deploy: Path, load: Any) -> None:
    compose = load("compose.yaml")
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            there = source in compose["volumes"] if source[0] != "." else (deploy / source).is_dir()
            assert there, volume


def test_no_port_is_open_beyond_the_machine(load: Any) -> None:
    for service in load("compose.yaml")["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
