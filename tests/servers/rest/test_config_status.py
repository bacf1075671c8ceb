"""OVMS's /v1/config and /v1/config/reload."""

from typing import Any


def test_the_state_of_every_model_is_told_as_ovms_tells_it(served: Any) -> None:
    answer = served.call("GET", "/v1/config")
    assert answer.status == 200
    assert answer.json["ns/echo"] == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": "OK"},
            }
        ]
    }


def test_a_reload_of_what_did_not_change_answers_200_with_the_states(served: Any) -> None:
    answer = served.call("POST", "/v1/config/reload")
    assert (answer.status, answer.json) == (200, served.call("GET", "/v1/config").json)


def test_a_reload_is_asked_for_by_post(served: Any) -> None:
    assert served.call("GET", "/v1/config/reload").status == 405
