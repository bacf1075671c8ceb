"""TLS and keys as real clients meet them, on both ports."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import openai
import pytest
import trustme

NODES = Path(__file__).parent.parent / "servers" / "nodes.py"
TRITON = Path(__file__).parent / "clients" / "triton_tls.py"
LIVE = "/inference.GRPCInferenceService/ServerLive"
KEY = "open-sesame"
WRONG_AUTHORITY = 60
"""What curl exits with for a certificate that it does not trust."""

GRAPH = """
input_stream: "REQUEST:request"
output_stream: "RESPONSE:response"
node { calculator: "EchoRequest" input_stream: "REQUEST:request" output_stream: "RESPONSE:response" }
"""


@dataclass(frozen=True)
class Files:
    """An authority and what it has signed, as files."""

    folder: Path
    authority: trustme.CA

    @classmethod
    def write(cls, folder: Path) -> Files:
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost")
        client = authority.issue_cert("client@example.org")
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        for name, certificate in (("server", server), ("client", client)):
            chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
            (folder / f"{name}.pem").write_bytes(chain)
            certificate.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        return cls(folder, authority)

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    @property
    def flags(self) -> list[str]:
        return ["--tls_cert", self["server.pem"], "--tls_key", self["server.key"]]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.write(tmp_path)


@pytest.fixture
def echo(tmp_path: Path) -> list[str]:
    """The flags of a model that answers with its request, and of both ports."""
    (tmp_path / "graph.pbtxt").write_text(GRAPH)
    model = ["--model_name", "echo", "--model_path", str(tmp_path), "--calculators", str(NODES)]
    return [*model, "--rest_port", "0", "--port", "0"]


def curl(server: Any, path: str, *flags: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "--silent", "--show-error", "--max-time", "20", *flags]
    url = f"https://{server.rest}{path}"
    return subprocess.run([*command, url], capture_output=True, text=True, timeout=60)


def channel(
    server: Any, files: Files, authority: bytes | None = None, client: bool = False
) -> grpc.Channel:
    pair = (files.read("client.key"), files.read("client.pem")) if client else (None, None)
    return grpc.secure_channel(
        server.grpc, grpc.ssl_channel_credentials(authority or files.read("ca.pem"), *pair)
    )


def lives(channel: grpc.Channel) -> bool:
    try:
        channel.unary_unary(LIVE)(b"", timeout=10)
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        return False
    return True


def test_curl_trusts_the_authority_and_no_other(launch: Any, files: Files, echo: Any) -> None:
    server = launch("serve", *echo, *files.flags)
    assert f"REST https://{server.rest}" in server.line
    done = curl(server, "/v2/health/live", "--cacert", files["ca.pem"])
    assert (done.returncode, done.stdout) == (0, '{"live":true}')
    assert curl(server, "/v2/health/live").returncode == WRONG_AUTHORITY
    plain = subprocess.run(["curl", "-s", "-m", "20", f"http://{server.rest}/"], timeout=60)
    assert plain.returncode != 0
    with channel(server, files) as trusted:
        assert lives(trusted)
    assert "Traceback" not in server.log


def test_old_versions_of_tls_are_refused(launch: Any, files: Files, echo: Any) -> None:
    server = launch("serve", *echo, *files.flags)
    flags = ["--cacert", files["ca.pem"], "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]
    assert curl(server, "/v2/health/live", *flags).returncode == 35
    assert curl(server, "/v2/health/live", "--cacert", files["ca.pem"]).returncode == 0


def test_openai_sends_its_key_over_tls(
    launch: Any, files: Files, echo: Any, tmp_path: Path
) -> None:
    key_file = tmp_path / "api_key.txt"
    key_file.write_text(f"{KEY}\n")
    server = launch("serve", *echo, *files.flags, "--api_key_file", key_file)

    def client(key: str) -> openai.OpenAI:
        context = ssl.create_default_context(cafile=files["ca.pem"])
        web = openai.DefaultHttpxClient(verify=context)
        return openai.OpenAI(base_url=f"https://{server.rest}/v3", api_key=key, http_client=web)

    with client(KEY) as right, client("wrong") as wrong:
        assert [model.id for model in right.models.list()] == ["echo"]
        with pytest.raises(openai.AuthenticationError) as error:
            wrong.models.list()
    assert error.value.code == "invalid_api_key"
    assert KEY not in server.log


def test_tritonclient_sends_its_key_over_tls(
    launch: Any,
    files: Files,
    echo: Any,
    client_python: Callable[[str, Sequence[str]], Path],
) -> None:
    server = launch("serve", *echo, *files.flags, environment={"API_KEY": KEY})
    python = client_python("tritonclient", ["tritonclient[grpc,http]"])
    command = [python, TRITON, server.grpc, server.rest, files["ca.pem"], KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "live": [True, True],
        "echo": [[[0.5, 2.0]]] * 2,
        "refusals": ["StatusCode.UNAUTHENTICATED", "401"],
    }


def test_with_a_client_authority_only_its_clients_connect(
    launch: Any, files: Files, echo: Any
) -> None:
    server = launch("serve", *echo, *files.flags, "--tls_client_ca", files["ca.pem"])
    trusting = ("--cacert", files["ca.pem"])
    pair = ("--cert", files["client.pem"], "--key", files["client.key"])
    assert curl(server, "/v2/health/live", *trusting, *pair).returncode == 0
    assert curl(server, "/v2/health/live", *trusting).returncode != 0
    with channel(server, files, client=True) as known, channel(server, files) as unknown:
        assert lives(known)
        assert not lives(unknown)


def test_a_client_of_another_authority_does_not_connect(
    launch: Any, files: Files, echo: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = launch("serve", *echo, *files.flags, "--tls_client_ca", files["ca.pem"])
    other = Files.write(tmp_path_factory.mktemp("other"))
    pair = ("--cert", other["client.pem"], "--key", other["client.key"])
    assert curl(server, "/v2/health/live", "--cacert", files["ca.pem"], *pair).returncode != 0
    with channel(server, other, files.read("ca.pem"), client=True) as stranger:
        assert not lives(stranger)


def test_new_connections_use_a_certificate_that_was_replaced(
    launch: Any,
    files: Files,
    echo: Any,
    eventually: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = launch("serve", *echo, *files.flags)
    before = files.read("ca.pem")
    (files.folder / "old.pem").write_bytes(before)
    context = ssl.create_default_context(cadata=before.decode())
    from http.client import HTTPSConnection

    kept = HTTPSConnection(server.rest, context=context, timeout=20)
    kept.request("GET", "/v2/health/live")
    assert kept.getresponse().read()
    Files.write(files.folder)
    trusting = ("--cacert", files["ca.pem"])
    assert eventually(lambda: curl(server, "/v2/health/live", *trusting).returncode == 0)
    refused = curl(server, "/v2/health/live", "--cacert", files["old.pem"])
    assert refused.returncode == WRONG_AUTHORITY
    kept.request("GET", "/v2/health/live")
    assert kept.getresponse().status == 200
    kept.close()

    def grpc_has_changed() -> bool:
        with channel(server, files) as new:
            return lives(new)

    assert eventually(grpc_has_changed)


def test_half_of_a_new_certificate_changes_nothing(
    launch: Any,
    files: Files,
    echo: Any,
    eventually: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = launch("serve", *echo, *files.flags)
    other = Files.write(tmp_path_factory.mktemp("other"))
    Path(files["server.pem"]).write_bytes(other.read("server.pem"))

    def still_serves() -> bool:
        assert curl(server, "/v2/health/live", "--cacert", files["ca.pem"]).returncode == 0
        with channel(server, files) as trusted:
            assert lives(trusted)
        return server.log.count("the certificate stays as it was") >= 2

    assert eventually(still_serves)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tls_cert", "server.pem"], "expected --tls_cert FILE and --tls_key FILE together"),
        (["--tls_client_ca", "ca.pem"], "expected --tls_cert FILE and --tls_key FILE together"),
        (["--tls_cert", "ca.pem", "--tls_key", "server.key"], "TLS: ca.pem, server.key: "),
        (["--tls_cert", "gone.pem", "--tls_key", "server.key"], "TLS: gone.pem, server.key: "),
    ],
)
def test_wrong_files_are_told(
    refusal: Any, files: Files, echo: Any, flags: list[str], message: str
) -> None:
    assert message in refusal("serve", *echo, *flags)
