"""Every endpoint of both front ends: without a key, with a wrong one, with one that allows something else."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from calcgraph.proto import inference_pb2 as pb
from calcgraph.servers.auth.flags import Security
from calcgraph.servers.auth.guard import Guard
from calcgraph.servers.auth.keys import Key, KeySet, digest_of
from calcgraph.servers.auth.scopes import (
    Scope,
    is_rest_health,
    is_rpc_health,
    rest_scope,
    rpc_scope,
)
from calcgraph.servers.rest.operations import operations

KEYS = KeySet([Key(scope.value, digest_of(f"{scope.value}-secret"), {scope}) for scope in Scope])
REST = [
    (each.method, each.path.format(model="echo", version="1"))
    for each in operations()
    if not is_rest_health(each.path)
]
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]
RPC = [
    (f"/{SERVICE.full_name}/{method.name}", method.client_streaming or method.server_streaming)
    for method in SERVICE.methods
    if not is_rpc_health(f"/{SERVICE.full_name}/{method.name}")
]
REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


@pytest.fixture(scope="module")
def guarded(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serve(tmp_path_factory.mktemp("graphs"), security=Security(Guard(KEYS))) as served:
        yield served


@pytest.fixture(scope="module")
def channel(guarded: Any) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(guarded.grpc_address) as channel:
        yield channel


def bearer(scope: Scope) -> str:
    return f"Bearer {scope.value}-secret"


def others(scope: Scope) -> list[Scope]:
    return [each for each in Scope if each is not scope]


def outcome(channel: grpc.Channel, method: str, streams: bool, key: str | None) -> Any:
    """The status of a call with an empty message."""
    metadata = () if key is None else (("authorization", key),)
    try:
        if streams:
            list(channel.stream_stream(method)(iter([b""]), metadata=metadata, timeout=10))
        else:
            channel.unary_unary(method)(b"", metadata=metadata, timeout=10)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


@pytest.mark.parametrize(("method", "path"), REST)
@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({}, "No API key provided"),
        ({"authorization": "Bearer wrong"}, "Incorrect API key provided"),
        ({"authorization": "Bearer "}, "no bearer key"),
        ({"authorization": "Basic aW5mZXItc2VjcmV0"}, "no bearer key"),
        ({"authorization": "infer-secret"}, "no bearer key"),
    ],
)
def test_rest_asks_for_a_key(
    guarded: Any, method: str, path: str, key: dict[str, str], message: str
) -> None:
    answer = guarded.call(method, path, "{}" if method == "POST" else None, **key)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert message.encode() in answer.body
    assert b"echo" not in answer.body


@pytest.mark.parametrize(("method", "path"), REST)
def test_rest_refuses_a_key_that_allows_something_else(
    guarded: Any, method: str, path: str
) -> None:
    for scope in others(rest_scope(path)):
        answer = guarded.call(method, path, authorization=bearer(scope))
        assert answer.status == 403
        assert b"does not have the scope" in answer.body


@pytest.mark.parametrize(("method", "path"), REST)
def test_rest_takes_the_right_key(guarded: Any, method: str, path: str) -> None:
    answer = guarded.call(method, path, authorization=bearer(rest_scope(path)))
    assert answer.status not in (401, 403)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/v1/config/reload", "/v2/repository/index"])
def test_an_unknown_path_asks_for_a_key_too(guarded: Any, path: str) -> None:
    assert guarded.call("GET", path).status == 401


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/config", Scope.ADMIN),
        ("/v1/config/", Scope.ADMIN),
        ("/v1/config/reload", Scope.ADMIN),
        ("/v2/repository/models/echo/load", Scope.ADMIN),
        ("/metrics", Scope.METRICS),
        ("/metrics/", Scope.METRICS),
        ("/v1/configuration", Scope.INFER),
        ("/v3/embeddings", Scope.INFER),
        ("/openapi.json", Scope.INFER),
    ],
)
def test_what_each_path_asks_for(path: str, scope: Scope) -> None:
    assert rest_scope(path) is scope


@pytest.mark.parametrize(
    "path", ["/v1%2Fconfig", "/v1/config%2F", "/%76%31/config", "/v1/./config"]
)
def test_another_spelling_of_a_path_finds_no_way_around_its_scope(guarded: Any, path: str) -> None:
    answer = guarded.call("GET", path, authorization=bearer(Scope.INFER))
    assert answer.status in (403, 404)


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
def test_probes_need_no_key(guarded: Any, path: str) -> None:
    assert guarded.call("GET", path).status in (200, 503)


def test_probes_need_a_key_when_that_is_wanted(serve: Any, tmp_path: Any) -> None:
    with serve(tmp_path, security=Security(Guard(KEYS, open_health=False))) as served:
        assert served.call("GET", "/v2/health/live").status == 401
        answer = served.call("GET", "/v2/health/live", authorization=bearer(Scope.INFER))
        assert answer.status == 200
        with grpc.insecure_channel(served.grpc_address) as channel:
            live = f"/{SERVICE.full_name}/ServerLive"
            assert outcome(channel, live, False, None)[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_browser_asks_before_its_request_without_a_key_and_reads_the_refusal(
    guarded: Any,
) -> None:
    origin = "https://app.example"
    preflight = guarded.call(
        "OPTIONS",
        "/v3/embeddings",
        origin=origin,
        access_control_request_method="POST",
        access_control_request_headers="authorization",
    )
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    refused = guarded.call("POST", "/v3/embeddings", "{}", origin=origin)
    assert refused.status == 401
    assert refused.headers["access-control-allow-origin"] == origin


def test_options_without_a_browser_asks_for_a_key(guarded: Any) -> None:
    assert guarded.call("OPTIONS", "/v3/embeddings").status == 401


@pytest.mark.parametrize(("method", "streams"), RPC)
@pytest.mark.parametrize("key", [None, "Bearer wrong", "Basic x", "infer-secret"])
def test_grpc_asks_for_a_key(
    channel: grpc.Channel, method: str, streams: bool, key: str | None
) -> None:
    status, message = outcome(channel, method, streams, key)
    assert status is grpc.StatusCode.UNAUTHENTICATED
    assert "Authorization: Bearer KEY" in message


@pytest.mark.parametrize(("method", "streams"), RPC)
def test_grpc_refuses_a_key_that_allows_something_else(
    channel: grpc.Channel, method: str, streams: bool
) -> None:
    for scope in others(rpc_scope(method)):
        status, _ = outcome(channel, method, streams, bearer(scope))
        assert status is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(("method", "streams"), RPC)
def test_grpc_takes_the_right_key(channel: grpc.Channel, method: str, streams: bool) -> None:
    status, _ = outcome(channel, method, streams, bearer(rpc_scope(method)))
    assert status not in REFUSED


@pytest.mark.parametrize("method", ["ServerLive", "ServerReady"])
def test_grpc_probes_need_no_key(channel: grpc.Channel, method: str) -> None:
    status, _ = outcome(channel, f"/{SERVICE.full_name}/{method}", False, None)
    assert status is grpc.StatusCode.OK


def test_a_grpc_service_that_is_not_there_asks_for_a_key(channel: grpc.Channel) -> None:
    status, _ = outcome(channel, "/some.Service/Call", False, None)
    assert status is grpc.StatusCode.UNAUTHENTICATED


def test_who_is_turned_away_is_counted_over_both(guarded: Any, channel: grpc.Channel) -> None:
    def refused(surface: str) -> float:
        key = {"Authorization": bearer(Scope.METRICS)}
        text = guarded.call("GET", "/metrics", **key).body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels.get("surface") == surface
            and sample.labels.get("outcome") == "unauthenticated"
        )

    before = refused("openai"), refused("kserve_grpc")
    guarded.call("POST", "/v3/embeddings", "{}")
    outcome(channel, "/inference.GRPCInferenceService/ModelInfer", False, None)
    assert (refused("openai"), refused("kserve_grpc")) == (before[0] + 1, before[1] + 1)
