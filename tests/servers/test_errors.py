"""How each kind of error looks outside."""

import logging

import grpc
import pytest

from calcgraph.runtime.errors import Code, RequestError, status_error
from calcgraph.servers.errors import HttpError, answer_to


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Code.INVALID_ARGUMENT, 400),
        (Code.FAILED_PRECONDITION, 412),
        (Code.OUT_OF_RANGE, 400),
        (Code.UNAUTHENTICATED, 401),
        (Code.PERMISSION_DENIED, 403),
        (Code.NOT_FOUND, 404),
        (Code.ABORTED, 409),
        (Code.RESOURCE_EXHAUSTED, 429),
        (Code.UNIMPLEMENTED, 501),
        (Code.UNAVAILABLE, 503),
        (Code.DEADLINE_EXCEEDED, 504),
    ],
)
def test_a_request_error_keeps_its_sentence_and_its_code(code: Code, status: int) -> None:
    answer = answer_to(RequestError("odd", param="p", reason="r", code=code), "id")
    assert (answer.status, answer.code, answer.message) == (status, code, "odd")
    assert (answer.param, answer.reason) == ("p", "r")


@pytest.mark.parametrize("code", [Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE])
def test_who_may_come_back_is_told_when(code: Code) -> None:
    assert answer_to(RequestError("later", code=code), "id").headers == {"Retry-After": "1"}


def test_an_error_may_know_when_better_than_the_table() -> None:
    error = RequestError("later", code=Code.RESOURCE_EXHAUSTED, retry_after=7)
    assert answer_to(error, "id").headers == {"Retry-After": "7"}


def test_a_conflict_is_not_worth_a_retry() -> None:
    answer = answer_to(RequestError("other model", code=Code.ABORTED), "id")
    assert answer.headers == {"x-should-retry": "false"}


def test_who_needs_a_key_is_told_how_to_send_it() -> None:
    answer = answer_to(RequestError("no key", code=Code.UNAUTHENTICATED), "id")
    assert answer.headers == {"WWW-Authenticate": "Bearer"}
    assert (answer.type, answer.reason) == ("invalid_request_error", "invalid_api_key")


@pytest.mark.parametrize(
    "error", [ValueError("broken"), RequestError("never", code=Code.UNIMPLEMENTED)]
)
def test_clients_that_retry_every_5xx_are_told_when_that_is_useless(error: Exception) -> None:
    assert answer_to(error, "id").headers == {"x-should-retry": "false"}


@pytest.mark.parametrize(
    "error",
    [ValueError("secret"), status_error(Code.INVALID_ARGUMENT, "secret"), KeyError("secret")],
)
def test_any_other_error_is_internal_whatever_its_code(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = answer_to(error, "id-1")
    assert (answer.status, answer.code, answer.type) == (500, Code.INTERNAL, "server_error")
    assert "secret" not in answer.message
    assert "id-1" in answer.message
    assert "id-1" in caplog.text
    assert "secret" in caplog.text


def test_a_sentence_that_quotes_a_megabyte_is_cut() -> None:
    answer = answer_to(RequestError("no " + "x" * (1 << 20)), "id")
    assert answer.message.startswith("no xxx")
    assert len(answer.message) < 1100


def test_http_alone_knows_some_mistakes() -> None:
    answer = answer_to(HttpError(405, "no", reason="r", headers={"Allow": "GET"}), "id")
    assert (answer.status, answer.headers) == (405, {"Allow": "GET"})


def test_our_codes_are_grpcs() -> None:
    assert {code.value for code in Code} == {status.value[0] for status in grpc.StatusCode}
