"""How long a request may take, as its caller says."""

from __future__ import annotations

import math
from typing import Any, Final

from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest, InferRequest

HEADER: Final = "x-request-timeout"
PARAMETER: Final = "timeout"
"""KServe's and Triton's, in microseconds; 0 is none."""
_MICROSECONDS: Final = 1e-6


def seconds_allowed(request: HttpRequest | InferRequest) -> float | None:
    """The shortest time that the request names, in its header (HTTP's, or gRPC's metadata) or, if it is
    KServe's, in its parameter; None if it names none. Raises RequestError for what is no time."""
    named = []
    if (text := request.headers.get(HEADER)) is not None:
        named.append(_seconds(text))
    if isinstance(request, InferRequest) and (value := request.parameters.get(PARAMETER)):
        named.append(_microseconds(value))
    return min(named, default=None)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 < seconds < math.inf:
        return seconds
    raise RequestError(
        f"The header {HEADER} is {text[:40]!r}; expected seconds, above 0.", param=HEADER
    )


def _microseconds(value: Any) -> float:
    if type(value) is int and value > 0:
        return value * _MICROSECONDS
    raise RequestError(
        f"The parameter '{PARAMETER}' is {str(value)[:40]!r}; expected microseconds, an integer.",
        param=f"parameters.{PARAMETER}",
    )
