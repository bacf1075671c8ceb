"""Whether the event loop keeps up: how late it is, and, for other threads, what it was like a moment ago."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

_BEAT_S: Final = 0.1
_DEAD_S: Final = 30.0
"""A loop that has not come round for so long will not."""


class Pulse:
    """Beats on the event loop; may be read from any thread."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready
        self._timer: asyncio.TimerHandle | None = None
        self._last = time.monotonic()
        self.late_s = 0.0
        """How long what was due has waited for the loop."""
        self.ready = False
        self.started = False
        """Everything that is loaded at the start was loaded, or has failed to."""

    @property
    def alive(self) -> bool:
        """The loop still runs."""
        return time.monotonic() - self._last < _DEAD_S

    def __enter__(self) -> Self:
        self._timer = asyncio.get_running_loop().call_later(_BEAT_S, self._beat)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.ready = False

    def _beat(self) -> None:
        now = time.monotonic()
        self.late_s = max(0.0, now - self._last - _BEAT_S)
        self._last = now
        self.ready = self._is_ready()
        self._timer = asyncio.get_running_loop().call_later(_BEAT_S, self._beat)
