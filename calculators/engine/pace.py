"""How fast the queue is worked off, from which a wait can be told before it is waited."""

import math

MEMORY_S = 2.0
"""What was measured longer ago counts less and less."""


class Pace:
    """Tokens a second while more waits than fits a batch: smaller batches are slower than need be.

    Written by the engine's thread, read by any.
    """

    def __init__(self) -> None:
        self._tokens = 0.0
        self._seconds = 0.0
        self._last = -math.inf

    def delivered(self, tokens: int, started: float, now: float, *, busy: bool) -> None:
        """A batch is over. Times in seconds of one clock; `busy` if whole batches wait behind it."""
        seconds = now - max(started, self._last)
        self._last = now
        if not busy:
            return
        fade = math.exp(-seconds / MEMORY_S)
        self._tokens = self._tokens * fade + tokens
        self._seconds = self._seconds * fade + seconds

    @property
    def rate(self) -> float | None:
        """None before the first measurement."""
        return self._tokens / self._seconds if self._seconds > 0 else None
