"""Who asks and how urgent it is, read from a request's headers and fields: its place in the queue.

Urgency is the header `X-Priority` (HTTP header or gRPC metadata) or the KServe parameter `priority`:
`interactive` or `bulk`, or a number as Triton's clients send it: 1 is the highest, more is bulk, 0 the
default, which is by size. Clients take turns; who asks is told by the header `X-Client-Id`, the API key
in `Authorization`, or OpenAI's field `user`: the first of them that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from calcgraph.calculators.engine import Lane
from calcgraph.calculators.request_fields import is_integer, refuse, show
from calcgraph.calculators.values import Turn
from calcgraph.runtime.terms import Terms

PRIORITY_HEADER: Final = "x-priority"
PRIORITY: Final = "priority"
_CLIENT_ID: Final = "x-client-id"
_LANES: Final[Mapping[str, Lane]] = {lane.value: lane for lane in Lane}


def read_turn(
    headers: Mapping[str, str], fields: Mapping[str, Any], terms: Terms | None = None
) -> Turn | None:
    """None if the request says nothing of it. Raises RequestError naming the header or the parameter."""
    lane = _lane(PRIORITY, fields.get(PRIORITY))
    if (header := headers.get(PRIORITY_HEADER)) is not None:
        lane = _lane(PRIORITY_HEADER, header)
    client = _client(headers, fields)
    if terms is None:
        return None if lane is None and client is None else Turn(lane, client)
    return Turn(lane, client, terms)


def _lane(name: str, value: Any) -> Lane | None:
    if value is None:
        return None
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _LANES:
            return _LANES[word]
        value = int(word) if word.isascii() and word.isdecimal() and len(word) < 20 else value
    if is_integer(value) and value >= 0:
        return None if value == 0 else Lane.INTERACTIVE if value == 1 else Lane.BULK
    refuse(name, f"must be 'interactive' or 'bulk', found {show(value)}")


def _client(headers: Mapping[str, str], fields: Mapping[str, Any]) -> bytes | str | None:
    if client := headers.get(_CLIENT_ID):
        return client
    if key := headers.get("authorization"):
        # Hashed, so that no key is kept where a log or a dump may show it.
        return blake2b(key.encode("utf-8", "surrogateescape"), digest_size=16).digest()
    user = fields.get("user")
    return user if isinstance(user, str) and user else None
