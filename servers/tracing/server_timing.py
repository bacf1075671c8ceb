"""The Server-Timing header: what each node of the graph took, for a request that asks with `x-debug: trace`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from calcgraph.runtime.request_trace import RequestTrace

HEADER: Final = "Server-Timing"
_ASKS: Final = "x-debug"
_TRACE: Final = "trace"
_NO_TOKEN: Final = re.compile(r"[^A-Za-z0-9!#$%&'*+.^_`|~-]")
"""What a metric's name may not have in it."""


def is_asked_for(headers: Mapping[str, str]) -> bool:
    return headers.get(_ASKS) == _TRACE


def server_timing(trace: RequestTrace, seconds: float) -> str:
    """The header's value, in milliseconds; `seconds` is what the whole request took until now."""
    entries = {_NO_TOKEN.sub("_", node): took for node, took in trace.seconds().items()}
    entries["total"] = seconds
    return ", ".join(f"{name};dur={took * 1000:.3f}" for name, took in entries.items())
