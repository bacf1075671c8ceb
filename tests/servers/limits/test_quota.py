"""What a key may use in a minute, and what its caller is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from hand_clock import Clock

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.runtime.errors import Code, RequestError
from calcgraph.servers.auth.flags import Security
from calcgraph.servers.auth.guard import Guard
from calcgraph.servers.auth.keys import Key, KeySet, digest_of
from calcgraph.servers.auth.scopes import Scope
from calcgraph.servers.limits.limits import Limits
from calcgraph.servers.limits.quota import Account, Accounts, Bucket

GOOD = '{"model": "echo", "input": "x"}'
INFER = frozenset({Scope.INFER})


def test_a_bucket_gives_all_or_nothing_and_fills_within_a_minute(clock: Clock) -> None:
    bucket = Bucket(60, clock)
    assert bucket.take(50)
    assert not bucket.take(11)
    assert bucket.take(10)
    assert bucket.seconds_until(30) == pytest.approx(30)
    clock.now = 30
    assert bucket.take(30)
    clock.now = 1000
    assert bucket.level == 60


def account(clock: Clock, **quotas: int) -> Account:
    return Account("search", {what: Bucket(most, clock) for what, most in quotas.items()})


def test_tokens_are_charged_whole_or_not_at_all(clock: Clock) -> None:
    search = account(clock, tokens=100)
    search.charge(80)
    with pytest.raises(RequestError) as error:
        search.charge(30)
    assert (error.value.code, error.value.retry_after) == (Code.RESOURCE_EXHAUSTED, 6)
    assert "may use 100 tokens a minute; 20 are left, 30 are asked for" in str(error.value)
    search.charge(20)


def test_who_has_no_token_left_is_refused_before_they_are_counted(clock: Clock) -> None:
    search = account(clock, tokens=60)
    search.charge(60)
    with pytest.raises(RequestError) as error:
        search.begin()
    assert error.value.retry_after == 1
    clock.now = 1
    search.begin()


def test_a_request_beyond_the_whole_quota_is_not_worth_a_retry(clock: Clock) -> None:
    with pytest.raises(RequestError) as error:
        account(clock, tokens=100).charge(101)
    assert error.value.code is Code.INVALID_ARGUMENT
    assert "send fewer at a time" in str(error.value)


def test_the_headers_are_those_that_openais_clients_know(clock: Clock) -> None:
    search = account(clock, requests=60, tokens=600)
    search.begin()
    search.charge(300)
    assert dict(search.headers()) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1.000s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "300",
        "x-ratelimit-reset-tokens": "30.000s",
    }


def test_an_account_is_kept_until_its_key_changes() -> None:
    accounts = Accounts()
    key = Key("search", digest_of("s"), INFER, requests_per_minute=5)
    assert accounts.of(key) is accounts.of(key)
    assert accounts.of(Key("search", digest_of("s"), INFER, requests_per_minute=6)) is not (
        accounts.of(key)
    )
    assert accounts.of(Key("free", digest_of("f"), INFER)) is None
    assert accounts.of(None) is None


@pytest.fixture
def limited(serve: Any, tmp_path: Path) -> Iterator[Any]:
    """Two keys: one may ask twice a minute, one as often as it likes."""
    keys = KeySet(
        [
            Key("poor", digest_of("poor"), INFER, requests_per_minute=2),
            Key("rich", digest_of("rich"), INFER),
        ]
    )
    with serve(tmp_path, security=Security(Guard(keys)), limits=Limits()) as served:
        yield served


def test_the_quota_of_one_key_is_spent_and_no_other(limited: Any) -> None:
    def ask(key: str) -> Any:
        return limited.call("POST", "/v3/embeddings", GOOD, authorization=f"Bearer {key}")

    answers = [ask("poor") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [a.headers["x-ratelimit-remaining-requests"] for a in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert answers[2].json["error"]["code"] == "rate_limit_exceeded"
    rich = [ask("rich") for _ in range(5)]
    assert [answer.status for answer in rich] == [200] * 5
    assert not [name for name in rich[0].headers if name.startswith("x-ratelimit")]


def test_both_front_ends_spend_one_quota(limited: Any) -> None:
    limited.call("POST", "/v3/embeddings", GOOD, authorization="Bearer poor")
    request = pb.ModelInferRequest(model_name="echo", raw_input_contents=[b"\0" * 8])
    request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    with grpc.insecure_channel(limited.grpc_address) as channel:
        stub = GRPCInferenceServiceStub(channel)
        metadata = (("authorization", "Bearer poor"),)
        stub.ModelInfer(request, metadata=metadata)
        with pytest.raises(grpc.RpcError) as error:
            stub.ModelInfer(request, metadata=metadata)
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 1 <= int(dict(error.value.trailing_metadata())["retry-after"]) <= 30


def test_each_request_of_a_stream_counts_and_one_beyond_the_quota_is_told(limited: Any) -> None:
    request = pb.ModelInferRequest(model_name="echo", raw_input_contents=[b"\0" * 8])
    request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    with grpc.insecure_channel(limited.grpc_address) as channel:
        stub = GRPCInferenceServiceStub(channel)
        metadata = (("authorization", "Bearer poor"),)
        answers = list(stub.ModelStreamInfer(iter([request] * 3), metadata=metadata, timeout=20))
        errors = [answer.error_message for answer in answers if answer.error_message]
        assert len(answers) == 3
        assert len(errors) == 1
        assert "may use 2 requests a minute" in errors[0]
        with pytest.raises(grpc.RpcError) as error:
            next(stub.ModelStreamInfer(iter([request]), timeout=20))
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
