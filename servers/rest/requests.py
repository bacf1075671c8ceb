"""What a request's body is to both REST dialects: a JSON object."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import orjson
from aiohttp import web

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.servers.errors import HttpError
from calcgraph.servers.rest.compression import check_encoding
from calcgraph.servers.rest.connection import Connection


async def read_body(request: web.BaseRequest) -> bytes:
    """The whole body, decompressed."""
    check_encoding(request)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer's own headers have not begun
    try:
        if request.content.is_eof():
            return await request.read()
        return await _read_slowly(request)
    except web.RequestPayloadError as error:
        raise RequestError(f"The body cannot be read: {error}") from None


async def _read_slowly(request: web.BaseRequest) -> bytes:
    """A body that did not come with its headers."""
    transfer = cast(Connection, request.protocol).transfer
    length = request.content_length
    try:
        async with asyncio.timeout(
            transfer.seconds_for(transfer.body_bytes if length is None else length)
        ):
            return await request.read()
    except TimeoutError:
        raise HttpError(
            408,
            "The body did not come in time.",
            reason="request_timeout",
            code=Code.DEADLINE_EXCEEDED,
            headers={"Connection": "close"},
        ) from None


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
