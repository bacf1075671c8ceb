"""What the parameters of a tensor request are to a graph: side packets, and the request's timestamp."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Final

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.payload import Parameter
from calcgraph.runtime.timestamp import MAX, MIN, is_range

TIMESTAMP: Final = "OVMS_MP_TIMESTAMP"
"""The time of a request's packets, as OVMS's clients give it and are told it."""

PYTHON_NODES: Final = "py"
"""OVMS hands its Python nodes their resources under this name."""

_RESERVED: Final = frozenset(
    {
        TIMESTAMP,
        "binary_data_output",
        "headers",
        "priority",
        "sequence_end",
        "sequence_id",
        "sequence_start",
        "timeout",
    }
)
"""Parameters that clients send of their own accord; so are those that begin with triton_."""


def side_packets(
    parameters: Mapping[str, Parameter], known: Collection[str]
) -> dict[str, Parameter]:
    """The parameters that a graph reads as input side packets. Others are no mistake, as in MediaPipe.

    Raises FAILED_PRECONDITION for the name that OVMS keeps for itself.
    """
    if PYTHON_NODES in parameters:
        raise RequestError(
            f"The parameter '{PYTHON_NODES}' is reserved: no side packet can be given by that name.",
            param=f"parameters.{PYTHON_NODES}",
            code=Code.FAILED_PRECONDITION,
        )
    return {
        name: value
        for name, value in parameters.items()
        if name in known and name not in _RESERVED and not name.startswith("triton_")
    }


def timestamp(parameters: Mapping[str, Parameter]) -> int | None:
    """The time that a request asks for. Raises RequestError for what is no time of a packet."""
    value = parameters.get(TIMESTAMP)
    if value is None:
        return None
    if type(value) is not int:
        raise RequestError(
            f"The parameter {TIMESTAMP} is an int64; found {value!r:.80}.",
            param=f"parameters.{TIMESTAMP}",
        )
    if not is_range(value):
        raise RequestError(
            f"The parameter {TIMESTAMP} is a time from {MIN} to {MAX}; found {value}.",
            param=f"parameters.{TIMESTAMP}",
        )
    return value


class Clock:
    """Times for requests that name none: microseconds since the epoch, each later than the one before."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last
