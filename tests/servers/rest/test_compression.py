"""Large answers travel packed to who takes that, and where it pays."""

import base64
import gzip
import os
from typing import Any

import orjson
import pytest

from calcgraph.servers.rest.compression import wants_gzip

NUMBERS = orjson.dumps({"model": "echo", "input": [i / 7 for i in range(3000)]})
RANDOM = base64.b64encode(os.urandom(40_000)).decode()


def post(served: Any, body: bytes, accept: str) -> Any:
    return served.call("POST", "/v3/embeddings", body, accept_encoding=accept)


def test_a_large_answer_of_numbers_is_packed_for_who_takes_gzip(served: Any) -> None:
    plain = post(served, NUMBERS, "identity")
    packed = post(served, NUMBERS, "gzip, deflate, br")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 2
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed.headers["content-length"]) == len(packed.body)


def test_caches_are_told_that_there_are_two_forms(served: Any) -> None:
    for accept in ("identity", "gzip"):
        assert "Accept-Encoding" in post(served, NUMBERS, accept).headers["vary"]


def test_base64_is_sent_as_it_is_since_packing_gains_nothing(served: Any) -> None:
    body = orjson.dumps({"model": "echo", "input": RANDOM})
    answer = post(served, body, "gzip")
    assert "content-encoding" not in answer.headers
    assert answer.json["body"]["input"] == RANDOM


def test_a_small_answer_is_sent_as_it_is(served: Any) -> None:
    answer = post(served, b'{"model": "echo", "input": "hi"}', "gzip")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("br, *", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=nonsense", False),
        ("gzipped", False),
    ],
)
def test_an_accept_encoding_takes_gzip_or_not(accept: str, wanted: bool) -> None:
    assert wants_gzip(accept) is wanted
