"""Mutations that keep JSON JSON: coverage cannot lead bytes through a parser that is written in Rust."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import DecodeError

from calcgraph.proto import inference_pb2 as pb

Mutator = Callable[[bytes, random.Random], bytes | None]
"""None when the input is not of the form that it mutates."""

VALUES: Final = (
    *(
        None,
        True,
        False,
        "",
        "a",
        "\U0001f600",
        "BYTES",
        "INT64",
        "FP32",
        "FP16",
        "base64",
        "float",
    ),
    *(0, 1, -1, 2**31, 2**62, 2**63 - 1, -(2**63), 0.5, -0.0, 1e308, [], {}, [[]], [0], ["a"]),
)


def json(data: bytes, chance: random.Random) -> bytes | None:
    """A JSON body with something else in one or a few places."""
    try:
        return orjson.dumps(_mutated(orjson.loads(data), chance))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # also nested too deeply to be written
        return None


def json_and_tail(data: bytes, chance: random.Random) -> bytes | None:
    """The binary tensor extension: most of the time the header still counts the JSON."""
    header, _, body = data.partition(b"\n")
    length = int(header) if header.isdigit() else len(body)
    changed = json(body[:length], chance)
    if changed is None:
        return None
    tail = body[length:]
    if tail and chance.random() < 0.5:
        tail = _bytes(tail, chance)
    right = not header or chance.random() < 0.9
    counted = (str(len(changed)).encode() if header else b"") if right else header
    return counted + b"\n" + changed + tail


def message(data: bytes, chance: random.Random) -> bytes | None:
    """A ModelInferRequest with something else in one of its fields."""
    try:
        fields = MessageToDict(pb.ModelInferRequest.FromString(data))
        changed = _mutated(fields, chance)
        return ParseDict(changed, pb.ModelInferRequest()).SerializeToString()
    except (DecodeError, ParseError, TypeError, ValueError, AttributeError, RecursionError):
        return None


MUTATORS: Final[Mapping[str, Mutator]] = {
    "openai": json,
    "infer_rest": json_and_tail,
    "infer_grpc": message,
}


def _mutated(value: Any, chance: random.Random) -> Any:
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            return chance.choice(VALUES)
        holder, key = chance.choice(places)
        _change(holder, key, chance, places)
    return value


def _change(holder: Any, key: Any, chance: random.Random, places: list[tuple[Any, Any]]) -> None:
    match chance.randrange(6):
        case 0:
            holder[key] = chance.choice(VALUES)
        case 1:
            other, at = chance.choice(places)
            holder[key] = orjson.loads(orjson.dumps(other[at]))
        case 2:
            del holder[key]
        case 3:
            holder[key] = [holder[key]] * chance.randrange(4)
        case 4 if isinstance(holder[key], int):
            holder[key] = max(-(2**63), min(2**63 - 1, holder[key] + chance.choice((-1, 1, 7))))
        case _ if isinstance(holder[key], str):
            holder[key] = _text(holder[key], chance)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and element, as its container and its key there."""
    items = (
        list(value.items()) if isinstance(value, dict)
        else list(enumerate(value)) if isinstance(value, list) else []
    )  # fmt: skip
    for key, child in items:
        yield value, key
        yield from _places(child)


def _text(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(("", "\0", "é", "\u0301", "=", "A" * 50)) + text[at + 1 :]


def _bytes(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.randrange(5)) + data[at + chance.randrange(5) :]
