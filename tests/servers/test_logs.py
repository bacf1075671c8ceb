"""The log as lines of JSON and of text."""

import json
import logging
import sys
from typing import Any

import pytest

from calcgraph.servers.logs import JsonFormatter, TextFormatter
from calcgraph.servers.observation.exchange import Exchange, Surface


def record(message: str = "hello %s", *args: Any, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("calcgraph.some", logging.INFO, "f.py", 1, message, args, None)
    made.__dict__.update(extra)
    return made


@pytest.fixture
def exchange() -> Exchange:
    return Exchange((), Surface.OPENAI, "POST /v3/embeddings", "mine-7", {})


def test_a_line_of_json_is_an_object() -> None:
    line = JsonFormatter().format(record("hello %s\nyou", "world"))
    told = json.loads(line)
    assert "\n" not in line
    assert told.pop("time").endswith("+00:00")
    assert told == {"level": "INFO", "logger": "calcgraph.some", "message": "hello world\nyou"}


def test_what_is_logged_for_a_request_names_it(exchange: Exchange) -> None:
    with exchange:
        exchange.trace_id = "0af7"
        told = json.loads(JsonFormatter().format(record("x")))
        text = TextFormatter().format(record("x"))
    assert (told["request_id"], told["trace_id"]) == ("mine-7", "0af7")
    assert text.endswith("calcgraph.some: x request_id=mine-7")


def test_the_facts_of_a_failed_request_are_keys() -> None:
    told = json.loads(JsonFormatter().format(record("x", facts={"status": 404, "model": "m"})))
    assert (told["status"], told["model"]) == (404, "m")


def test_an_exception_is_one_line_too() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        line = JsonFormatter().format(record("x", exc_info=sys.exc_info()))
    assert "ValueError: broken" in json.loads(line)["exception"]
    assert "\n" not in line
