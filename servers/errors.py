"""How an error looks outside: the HTTP status, OpenAI's type and code, the gRPC status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from calcgraph.runtime.errors import Code, RequestError

log = logging.getLogger(__name__)


class HttpError(RequestError):
    """A caller's mistake that only HTTP has a status for (405, 413)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        reason: str,
        code: Code = Code.INVALID_ARGUMENT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, reason=reason, code=code)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One error as every front end may show it."""

    code: Code
    """Also the gRPC status: the numbers are the same."""
    status: int
    type: str
    message: str
    param: str | None = None
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    status: int
    type: str
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


# A retry would end as it did: OpenAI's clients, which retry 409 and everything from 500 on, obey this.
_FINAL: Final = {"x-should-retry": "false"}
# OpenAI's clients obey Retry-After on 429 and 503; an integer of at least 1 is what all of them read.
_LATER: Final = {"Retry-After": "1"}
_ROWS: Final[Mapping[Code, _Row]] = {
    Code.INVALID_ARGUMENT: _Row(400, "invalid_request_error"),
    Code.FAILED_PRECONDITION: _Row(412, "invalid_request_error"),
    Code.OUT_OF_RANGE: _Row(400, "invalid_request_error"),
    Code.UNAUTHENTICATED: _Row(
        401, "invalid_request_error", "invalid_api_key", {"WWW-Authenticate": "Bearer"}
    ),
    Code.PERMISSION_DENIED: _Row(403, "invalid_request_error", "permission_denied"),
    Code.NOT_FOUND: _Row(404, "invalid_request_error", "not_found"),
    Code.ABORTED: _Row(409, "invalid_request_error", "conflict", _FINAL),
    Code.RESOURCE_EXHAUSTED: _Row(429, "requests", "rate_limit_exceeded", _LATER),
    Code.UNIMPLEMENTED: _Row(501, "server_error", "not_implemented", _FINAL),
    Code.UNAVAILABLE: _Row(503, "server_error", "service_unavailable", _LATER),
    Code.DEADLINE_EXCEEDED: _Row(504, "server_error", "deadline_exceeded"),
}
_LONGEST: Final = 1000
"""Bytes."""

_INTERNAL: Final = _Row(500, "server_error", "internal_error", _FINAL)


def answer_to(error: BaseException, request_id: str) -> Answer:
    """What to tell the caller. An error that is not the caller's is logged whole, and named by its request."""
    if not isinstance(error, RequestError):
        log.error("request %s failed", request_id, exc_info=error)
        message = f"internal error; the server's log tells more under request {request_id}"
        row = _INTERNAL
        return Answer(Code.INTERNAL, row.status, row.type, message, None, row.reason, row.headers)
    row = _ROWS.get(error.code, _INTERNAL)
    reason = error.reason or row.reason
    status, headers = row.status, row.headers
    if isinstance(error, HttpError):
        status, headers = error.status, error.headers
    if error.retry_after is not None:
        headers = {**headers, "Retry-After": str(error.retry_after)}
    message = shortened(error.message)
    return Answer(error.code, status, row.type, message, error.param, reason, headers)


def shortened(text: str) -> str:
    """A text that quotes its caller, kept within what fits a gRPC status and a log line.

    Counted in bytes: gRPC sends each byte of a letter that is not ASCII as three.
    """
    encoded = text.encode(errors="replace")
    if len(encoded) <= _LONGEST:
        return text
    return f"{encoded[:_LONGEST].decode(errors='ignore')}..."
