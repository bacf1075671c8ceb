"""OpenAI's dialect: routes, the model's name, errors."""

import logging
from typing import Any

import orjson
import pytest

PREFIXES = ["/v1", "/v3", "/v3/v1"]


def post(served: Any, body: Any, path: str = "/v3/embeddings") -> Any:
    data = body if isinstance(body, bytes | str) else orjson.dumps(body)
    return served.call("POST", path, data)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_embeddings_are_served_under_every_prefix(served: Any, prefix: str, slash: str) -> None:
    body = {"model": "echo", "input": ["ä", "b"], "user": "u", "extra": None}
    answer = post(served, body, f"{prefix}/embeddings{slash}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["body"] == body


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", ["ns/echo", "ns%2Fecho", "ns%2fecho/", "ns/echo/"])
def test_a_model_with_a_slash_in_its_name_is_found(served: Any, prefix: str, path: str) -> None:
    answer = served.call("GET", f"{prefix}/models/{path}")
    assert answer.status == 200
    assert answer.json["id"] == "ns/echo"


def test_the_models_are_listed_as_openai_lists_them(served: Any) -> None:
    answer = served.call("GET", "/v3/models").json
    assert answer["object"] == "list"
    assert [model["id"] for model in answer["data"]][:6] == [
        "echo",
        "ns/echo",
        "twin",
        "twin/ready",
        "wait",
        "moody",
    ]
    first = answer["data"][0]
    assert (first["object"], first["owned_by"]) == ("model", "calcgraph")
    assert isinstance(first["created"], int)
    assert first["details"]["dimensions"] == 2


def test_a_model_that_is_not_ready_is_not_listed_and_asks_to_come_back(served: Any) -> None:
    answer = served.call("GET", "/v3/models/unready")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json["error"]["code"] == "model_not_ready"


@pytest.mark.parametrize("call", ["GET /v1/models/ecko", "POST /v1/embeddings"])
def test_an_unknown_model_is_a_404_that_names_the_nearest(served: Any, call: str) -> None:
    method, path = call.split()
    answer = served.call(method, path, b'{"model": "ecko", "input": "x"}')
    assert answer.status == 404
    assert answer.json["error"] == {
        "message": "The model 'ecko' does not exist; did you mean 'echo'?",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ("", "The request has no body; expected a JSON object.", None),
        ("{", "not valid JSON", None),
        ('{"model": "echo",}', "line 1 column 17", None),
        ('{"model": "echo"} {}', "not valid JSON", None),
        ("\ufeff{}", "not valid JSON", None),
        (b'{"model": "\xff"}', "not valid UTF-8", None),
        ('{"model": "echo", "input": "\\ud800"}', "surrogate", None),
        ('{"model": "echo", "input": NaN}', "not valid JSON", None),
        ('{"model": "echo", "input": 1e999}', "infinity", None),
        ('{"input": ' + "[" * 100_000, "not valid JSON", None),
        ("[" * 100_000 + "]" * 100_000, "depth limit", None),
        ("[]", "a JSON array; expected an object", None),
        ('"x"', "a JSON string; expected an object", None),
        ("7", "a JSON number; expected an object", None),
        ("true", "a JSON boolean; expected an object", None),
        ("null", "a JSON null; expected an object", None),
        ("{}", "Missing required parameter: 'model'.", "model"),
        ('{"model": null}', "Missing required parameter: 'model'.", "model"),
        ('{"model": 7}', "'model' is a string; found 7", "model"),
        ('{"model": ["echo"]}', "'model' is a string", "model"),
        ('{"model": {"a": "' + "x" * 1000 + '"}}', "'model' is a string", "model"),
    ],
)
def test_a_body_that_makes_no_sense_is_a_400(
    served: Any, body: bytes | str, message: str, param: str | None
) -> None:
    answer = post(served, body)
    assert answer.status == 400
    error = answer.json["error"]
    assert message in error["message"]
    assert len(error["message"]) < 300
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


def test_a_name_of_half_a_megabyte_is_not_sent_back(served: Any) -> None:
    answer = post(served, {"model": "x" * (1 << 19), "input": "x"})
    assert answer.status == 404
    assert len(answer.body) < 1200


def test_an_integer_too_large_for_64_bits_reaches_the_model_as_a_float(served: Any) -> None:
    answer = post(served, '{"model": "echo", "input": 123456789012345678901234567890}')
    assert answer.json["body"]["input"] == 1.2345678901234568e29


def test_the_last_of_duplicate_keys_counts_for_the_route_and_for_the_model_alike(
    served: Any,
) -> None:
    answer = post(served, '{"model": "gone", "input": "a", "model": "echo", "input": "b"}')
    assert answer.json["body"] == {"model": "echo", "input": "b"}


def test_what_a_calculator_refuses_is_told_as_it_says(served: Any) -> None:
    answer = post(served, {"model": "echo", "input": "refuse"})
    assert answer.status == 400
    assert answer.json["error"] == {
        "message": "'input' is odd",
        "type": "invalid_request_error",
        "param": "input",
        "code": "too_odd",
    }


def test_overload_is_a_429_with_the_time_to_come_back(served: Any) -> None:
    answer = post(served, {"model": "echo", "input": "overload"})
    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.json["error"]["code"] == "rate_limit_exceeded"


def test_what_breaks_in_a_calculator_is_logged_whole_and_not_told(
    served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "calcgraph"):
        answer = served.call(
            "POST", "/v3/embeddings", b'{"model":"echo","input":"fail"}', x_request_id="broken-1"
        )
    assert answer.status == 500
    error = answer.json["error"]
    assert (error["type"], error["code"]) == ("server_error", "internal_error")
    assert "broken-1" in error["message"]
    assert "secret" not in error["message"]
    assert "request broken-1 failed" in caplog.text
    assert "ValueError: a secret of the calculator" in caplog.text
    assert post(served, {"model": "echo", "input": "hi"}).status == 200


def test_ovms_config_status_names_every_model(served: Any) -> None:
    states = {
        name: status["model_version_status"][0]["state"]
        for name, status in served.call("GET", "/v1/config").json.items()
    }
    assert states["ns/echo"] == "AVAILABLE"
    assert states["unready"] == "LOADING"
