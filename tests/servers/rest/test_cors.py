"""Pages of other origins, as their browsers ask for them."""

from typing import Any

import pytest

from calcgraph.servers.rest.cors import NO_CORS, Cors

ORIGIN = "https://app.example"  # the one that the served front end allows
ASKED = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
GOOD = '{"model": "echo", "input": "hi"}'


def signed(cors: Cors, origin: str | None) -> dict[str, str]:
    answer: dict[str, str] = {}
    cors.sign({} if origin is None else {"Origin": origin}, answer)
    return answer


def test_a_browser_may_send_what_it_asks_for(served: Any) -> None:
    asked = {name.replace("-", "_"): value for name, value in ASKED.items()}
    answer = served.call("OPTIONS", "/v3/embeddings", **asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"


@pytest.mark.parametrize("body", [GOOD, "{"])
def test_a_page_may_read_answers_and_errors_and_their_headers(served: Any, body: str) -> None:
    answer = served.call("POST", "/v3/embeddings", body, origin=ORIGIN)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-expose-headers"] == "*"
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_a_page_of_another_origin_is_allowed_nothing(served: Any, method: str) -> None:
    answer = served.call(
        method,
        "/v3/embeddings",
        GOOD,
        origin="https://evil.example",
        access_control_request_method="POST",
    )
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_without_the_flag_there_is_no_cors() -> None:
    assert signed(NO_CORS, ORIGIN) == {}
    assert NO_CORS.preflight("OPTIONS", ASKED) is None


def test_a_star_allows_every_origin_and_names_none() -> None:
    answer = signed(Cors(("*",)), None)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in answer


def test_named_methods_and_headers_are_all_there_is() -> None:
    cors = Cors((ORIGIN,), ("GET", "POST"), ("content-type",))
    answer = cors.preflight("OPTIONS", ASKED)
    assert answer is not None
    assert answer["Access-Control-Allow-Methods"] == "GET, POST"
    assert answer["Access-Control-Allow-Headers"] == "content-type"


def test_options_that_ask_nothing_are_no_preflight() -> None:
    assert Cors(("*",)).preflight("OPTIONS", {"Origin": ORIGIN}) is None
    assert Cors(("*",)).preflight("POST", ASKED) is None
