"""KServe's repository extension over REST: which models there are, load, unload."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def managed(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serve(tmp_path_factory.mktemp("managed"), model_control=True) as served:
        yield served


def index(served: Any, body: str | None = None) -> dict[str, dict[str, str]]:
    entries = served.call("POST", "/v2/repository/index", body, content_length="0")
    if body is not None:
        entries = served.call("POST", "/v2/repository/index", body)
    assert entries.status == 200
    return {entry["name"]: entry for entry in entries.json}


def test_the_index_lists_every_model_with_its_state(managed: Any) -> None:
    """KServe P1."""
    entries = index(managed)
    assert entries["ns/echo"] == {"name": "ns/echo", "version": "1", "state": "READY", "reason": ""}
    assert entries["unready"]["state"] == "LOADING"
    assert "unready" not in index(managed, '{"ready": true}')
    assert managed.call("POST", "/v2/repository/index", '{"ready": 1}').status == 400


@pytest.mark.parametrize("path", ["ns/echo", "ns%2Fecho"])
def test_a_model_is_unloaded_and_loaded_again(managed: Any, path: str) -> None:
    """KServe P1, P2."""
    base = f"/v2/repository/models/{path}"
    body = '{"parameters": {"unload_dependents": false}}'
    answer = managed.call("POST", f"{base}/unload", body)
    assert (answer.status, answer.json) == (200, {"name": "ns/echo", "unload": True})
    assert index(managed)["ns/echo"] | {"reason": ""} == {
        "name": "ns/echo",
        "version": "1",
        "state": "UNAVAILABLE",
        "reason": "",
    }
    assert managed.call("GET", f"/v2/models/{path}/ready").status == 503
    answer = managed.call("POST", f"{base}/load", "{}")
    assert (answer.status, answer.json) == (200, {"name": "ns/echo", "load": True})
    assert managed.call("GET", f"/v2/models/{path}/ready").status == 200


def test_a_model_that_cannot_be_loaded_says_why(managed: Any) -> None:
    """KServe P2."""
    answer = managed.call("POST", "/v2/repository/models/unready/load")
    assert answer.status == 400
    assert "gone.pbtxt" in answer.json["error"]
    assert index(managed)["unready"]["state"] == "UNAVAILABLE"
    assert "gone.pbtxt" in index(managed)["unready"]["reason"]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("gone/load", "{}", 404, "The model 'gone' does not exist"),
        ("gone/unload", "{}", 404, "The model 'gone' does not exist"),
        ("echo/reload", "{}", 404, "expected /load or /unload"),
        ("echo/load", '{"parameters": {"config": "{}"}}', 501, "'config' is not supported"),
        ("echo/load", '{"parameters": [1]}', 400, "'parameters' is an object"),
        ("echo/load", "[", 400, "not valid JSON"),
    ],
)
def test_what_cannot_be_done_is_told(
    managed: Any, path: str, body: str, status: int, message: str
) -> None:
    """KServe P2."""
    answer = managed.call("POST", f"/v2/repository/models/{path}", body)
    assert (answer.status, message in answer.json["error"]) == (status, True), answer.json


def test_the_server_says_that_it_has_the_extension(managed: Any, served: Any) -> None:
    """KServe R3, P4."""
    assert "model_repository" in managed.call("GET", "/v2").json["extensions"]
    assert "model_repository" not in served.call("GET", "/v2").json["extensions"]


def test_the_extension_is_documented_where_it_is_on(managed: Any, served: Any) -> None:
    described = managed.call("GET", "/openapi.json").json["paths"]
    others = served.call("GET", "/openapi.json").json["paths"]
    paths = described.keys() - others.keys()
    assert paths == {
        "/v2/repository/index",
        "/v2/repository/models/{model}/load",
        "/v2/repository/models/{model}/unload",
    }
    for path in paths:
        operation = described[path]["post"]
        for model, body in (("echo", None), ("gone", "{}"), ("echo", "[")):
            answer = managed.call("POST", path.replace("{model}", model), body, content_length="0")
            assert str(answer.status) in operation["responses"], answer
        assert not operation["requestBody"]["required"]


@pytest.mark.parametrize("path", ["index", "models/echo/load", "models/echo/unload"])
def test_without_the_flag_there_is_no_such_url(served: Any, path: str) -> None:
    """KServe P4."""
    answer = served.call("POST", f"/v2/repository/{path}", "{}")
    assert (answer.status, answer.json.keys()) == (404, {"error"})
    assert served.call("GET", "/v2/models/echo/ready").status == 200
