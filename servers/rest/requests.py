"""What a request's body is to both REST dialects: a JSON object."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from calcgraph.runtime.errors import RequestError
from calcgraph.servers.rest.compression import check_encoding


async def read_body(request: web.BaseRequest) -> bytes:
    """The whole body, decompressed."""
    check_encoding(request)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer's own headers have not begun
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise RequestError(f"The body cannot be read: {error}") from None


async def read_json(request: web.BaseRequest) -> dict[str, Any]:
    """The body, which must be a JSON object in UTF-8."""
    return parse_json(await read_body(request))


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body:
            raise RequestError("The request has no body; expected a JSON object.") from None
        raise RequestError(f"The body is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise RequestError(f"The body is a JSON {_JSON_NAMES[type(value)]}; expected an object.")
    return value


_JSON_NAMES = {
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
