"""On what terms a request is served: how long it may wait for its turn, and who pays for its tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from calcgraph.runtime.errors import Code, RequestError

_LONGEST_RETRY_S: Final = 60
"""Clients that are told to wait for minutes do not come back at all."""


def _free(tokens: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Whoever queues a request asks here first; it is queued whole or refused whole."""

    wait_s: float = math.inf
    """The longest wait before a request is begun."""
    bulk_wait_s: float = math.inf
    """The same for large requests and those that are in no hurry."""
    size: int = 0
    """Bytes of the request as it came, from which its tokens can be guessed; 0 is unknown."""
    charge: Callable[[int], None] = _free
    """Called with a request's tokens once they are known and nothing else stands in its way. Raises
    RequestError when its caller may not have them."""


ANY_TERMS: Final = Terms()


class Overloaded(RequestError):
    """More waits than can be begun in time; told before anything is done for the request."""

    def __init__(self, wait_s: float) -> None:
        wait = f"{wait_s:.1f} s" if wait_s < math.inf else "nobody knows how long"
        super().__init__(
            f"The server is overloaded: a request would wait {wait} before it is begun.",
            reason="overloaded",
            code=Code.RESOURCE_EXHAUSTED,
            retry_after=retry_after(wait_s),
        )


def retry_after(seconds: float) -> int:
    """Whole seconds, at least one, for the header Retry-After."""
    return max(1, math.ceil(min(seconds, _LONGEST_RETRY_S)))
