"""gzip: what a request's body may be packed with, and answers packed where that pays."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import zlib
from typing import Final

from aiohttp import hdrs, web

from calcgraph.runtime.errors import Code
from calcgraph.servers.errors import HttpError
from calcgraph.servers.rest.cors import vary

_READABLE: Final = ("gzip", "deflate", *(["br"] if importlib.util.find_spec("brotli") else []))
"""What the HTTP library unpacks."""

_SMALLEST: Final = 16 * 1024
"""Bytes below which packing costs more than it saves."""
_PROBE: Final = 4 * 1024
_WORTH: Final = 0.6
"""base64 of float32 packs to three quarters and is left alone, numbers in text to less than a half."""
_FASTEST: Final = 1
_GZIP: Final = 31  # zlib's wbits for the gzip format


def check_encoding(request: web.BaseRequest) -> None:
    """Raises HttpError 415 when the body is packed in a way that cannot be unpacked here."""
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if encoding in ("identity", "", *_READABLE):
        return
    readable = ", ".join(_READABLE)
    raise HttpError(
        415,
        f"The body's Content-Encoding {encoding[:40]!r} is not supported; expected one of {readable}.",
        reason="unsupported_content_encoding",
        code=Code.INVALID_ARGUMENT,
        headers={hdrs.ACCEPT_ENCODING: readable},
    )


async def pack(request: web.BaseRequest, response: web.Response) -> None:
    """gzip a large answer in place, off the event loop, if its caller takes gzip and it shrinks."""
    body = response.body
    if not isinstance(body, bytes) or len(body) < _SMALLEST:
        return
    vary(response.headers, hdrs.ACCEPT_ENCODING)
    if wants_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")) and _shrinks(body):
        response.body = await asyncio.to_thread(_gzip, body)
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"


def wants_gzip(accept: str) -> bool:
    """Whether an Accept-Encoding header takes gzip; `gzip;q=0` refuses it."""
    weights = {}
    for item in accept.lower().split(","):
        name, _, parameters = item.partition(";")
        weight = parameters.replace(" ", "").removeprefix("q=") or "1"
        weights[name.strip()] = bool(re.fullmatch(r"[01](\.\d*)?", weight)) and float(weight) > 0
    return weights.get("gzip", weights.get("*", False))


def _shrinks(body: bytes) -> bool:
    middle = len(body) // 2
    probe = body[middle : middle + _PROBE]
    return len(zlib.compress(probe, _FASTEST)) < _WORTH * len(probe)


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(_FASTEST, wbits=_GZIP)
    return packer.compress(body) + packer.flush()
