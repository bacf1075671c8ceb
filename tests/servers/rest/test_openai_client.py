"""How openai's own client takes our errors: what it retries, how often, and over which connection."""

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest


@pytest.fixture
def sent() -> list[Any]:
    """The requests on the wire."""
    return []


@pytest.fixture
def client(served: Any, sent: list[Any]) -> Iterator[openai.OpenAI]:
    http = openai.DefaultHttpxClient(event_hooks={"request": [sent.append]})
    url = f"http://127.0.0.1:{served.port}/v3"
    with openai.OpenAI(base_url=url, api_key="unused", http_client=http) as client:
        yield client


def test_overload_is_retried_once_after_the_second_that_we_ask_for(
    client: openai.OpenAI, sent: list[Any]
) -> None:
    start = time.monotonic()
    with pytest.raises(openai.RateLimitError) as refused:
        client.with_options(max_retries=1).embeddings.create(model="echo", input="overload")
    assert time.monotonic() - start >= 1
    assert [request.headers["x-stainless-retry-count"] for request in sent] == ["0", "1"]
    assert refused.value.code == "rate_limit_exceeded"


def test_what_broke_is_not_retried(client: openai.OpenAI, sent: list[Any]) -> None:
    with pytest.raises(openai.InternalServerError, match="internal error"):
        client.embeddings.create(model="echo", input="fail")
    assert len(sent) == 1


def test_a_model_that_loads_is_worth_another_try(client: openai.OpenAI, sent: list[Any]) -> None:
    with pytest.raises(openai.InternalServerError, match="not ready yet"):
        client.with_options(max_retries=1).embeddings.create(model="unready", input="x")
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("model", "text", "error"),
    [("gone", "x", openai.NotFoundError), ("echo", "refuse", openai.BadRequestError)],
)
def test_a_mistake_of_the_callers_is_told_once(
    client: openai.OpenAI, sent: list[Any], model: str, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.embeddings.create(model=model, input=text)
    assert len(sent) == 1


def test_ten_calls_use_one_connection_also_after_errors(client: openai.OpenAI) -> None:
    ports = set()
    for i in range(10):
        try:
            answer = client.models.with_raw_response.retrieve("echo" if i % 3 else "gone")
            response = answer.http_response
        except openai.NotFoundError as error:
            response = error.response
        stream = response.extensions["network_stream"]
        ports.add(stream.get_extra_info("client_addr"))
    (address,) = ports
    assert address is not None
