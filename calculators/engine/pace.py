"""How fast the queue is worked off, from which a wait can be told before it is waited."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

BATCHES: Final = 16
"""So many of the last ones are looked at."""
FORGOTTEN_S: Final = 5.0
"""What was measured longer ago tells nothing any more."""


class Pace:
    """Tokens a second while much waits: else batches are slower than need be.

    The slowest of the batches does not count: a process that was suspended, or whose processor was taken away,
    is not slow from then on. If it did count, requests would be refused, and without a full queue nothing
    would ever be measured that says otherwise; that is also why a pace is forgotten.

    Written by the engine's thread, read by any.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._batches: deque[tuple[float, int]] = deque(maxlen=BATCHES)
        """Seconds and tokens."""
        self._last = 0.0
        self._measured = (0.0, float("-inf"))
        """Tokens a second, and when."""

    def delivered(self, tokens: int, started: float, now: float, *, busy: bool) -> None:
        """A batch is over. Times in seconds of the clock; `busy` if much waits behind it."""
        seconds = now - max(started, self._last)
        self._last = now
        if not busy:
            return
        self._batches.append((seconds, tokens))
        counted = list(self._batches)
        if len(counted) > 1:
            counted.remove(max(counted))
        elapsed = sum(seconds for seconds, _ in counted)
        if elapsed > 0:
            self._measured = sum(tokens for _, tokens in counted) / elapsed, now

    @property
    def rate(self) -> float | None:
        """None while nothing is known of the last seconds."""
        rate, when = self._measured
        return rate if self._clock() - when <= FORGOTTEN_S else None
