"""Who asks and how urgently is read as clients of all kinds say it; what is wrong is named."""

from typing import Any

import pytest

from calcgraph.calculators.engine import Lane
from calcgraph.calculators.turn import read_turn
from calcgraph.calculators.values import Turn
from calcgraph.runtime.errors import RequestError


@pytest.mark.parametrize(
    ("headers", "fields", "lane"),
    [
        ({"x-priority": "interactive"}, {}, Lane.INTERACTIVE),
        ({"x-priority": " Bulk "}, {}, Lane.BULK),
        ({}, {"priority": "bulk"}, Lane.BULK),
        ({}, {"priority": 1}, Lane.INTERACTIVE),
        ({}, {"priority": 7}, Lane.BULK),
        ({"x-priority": "2"}, {}, Lane.BULK),
        ({"x-priority": "bulk"}, {"priority": "interactive"}, Lane.BULK),
    ],
)
def test_the_lane_is_chosen_by_header_or_parameter(
    headers: dict[str, str], fields: dict[str, Any], lane: Lane
) -> None:
    assert read_turn(headers, fields) == Turn(lane=lane)


@pytest.mark.parametrize(
    ("headers", "fields"),
    [({}, {}), ({}, {"priority": None}), ({}, {"priority": 0}), ({"authorization": ""}, {})],
)
def test_who_says_nothing_has_no_turn_of_his_own(
    headers: dict[str, str], fields: dict[str, Any]
) -> None:
    assert read_turn(headers, fields) is None


@pytest.mark.parametrize(
    ("headers", "fields", "name", "found"),
    [
        ({"x-priority": "urgent"}, {}, "x-priority", '"urgent"'),
        ({"x-priority": ""}, {}, "x-priority", '""'),
        ({"x-priority": "-1"}, {}, "x-priority", '"-1"'),
        ({}, {"priority": "urgent"}, "priority", '"urgent"'),
        ({}, {"priority": -1}, "priority", "-1"),
        ({}, {"priority": True}, "priority", "true"),
        ({}, {"priority": 1.5}, "priority", "1.5"),
    ],
)
def test_another_priority_is_refused_by_name(
    headers: dict[str, str], fields: dict[str, Any], name: str, found: str
) -> None:
    with pytest.raises(RequestError) as refused:
        read_turn(headers, fields)
    assert refused.value.param == name
    assert str(refused.value) == f"'{name}' must be 'interactive' or 'bulk', found {found}"


def test_a_client_is_told_by_its_id_then_by_its_key_then_by_the_user() -> None:
    def client(headers: dict[str, str], user: Any = None) -> Any:
        turn = read_turn(headers, {"user": user})
        return turn and turn.client

    key = {"authorization": "Bearer secret"}
    assert client({"x-client-id": "a", **key}, "u") == "a"
    assert client(key, "u") == client(key) != client({"authorization": "Bearer other"})
    assert client({}, "u") == "u"
    assert client({}, 5) is None


def test_no_key_is_kept() -> None:
    assert "secret" not in repr(read_turn({"authorization": "Bearer secret"}, {}))
