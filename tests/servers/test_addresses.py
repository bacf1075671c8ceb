"""Where a front end listens, and why it could not."""

import socket

import pytest

from calcgraph.servers.addresses import bind_error, cannot_listen, join


@pytest.mark.parametrize(
    ("host", "joined"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("name", "name:80")]
)
def test_an_ipv6_address_stands_in_brackets(host: str, joined: str) -> None:
    assert join(host, 80) == joined


def test_an_occupied_port_is_found_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = cannot_listen("gRPC", "--port", "127.0.0.1", port, bind_error("127.0.0.1", port))
    assert str(error) == (
        f"gRPC cannot listen on 127.0.0.1:{port}: another process listens there (--port {port})"
    )


def test_an_unknown_host_is_found_out() -> None:
    error = cannot_listen(
        "REST", "--rest_port", "no.such.host.invalid", 1, bind_error("no.such.host.invalid", 1)
    )
    assert "the host is unknown" in str(error)


def test_an_address_of_another_machine_is_found_out() -> None:
    error = cannot_listen("REST", "--rest_port", "192.0.2.1", 1, bind_error("192.0.2.1", 1))
    assert "this machine has no such address" in str(error)
