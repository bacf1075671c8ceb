"""A servable in memory, and the requests that run in it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from types import TracebackType

from calcgraph.servers.repository.memory import give_back
from calcgraph.servers.servable import Servable

log = logging.getLogger(__name__)


class Loaded:
    """Entered by each request for as long as it runs, so that nobody closes the model under it."""

    def __init__(self, servable: Servable) -> None:
        self.servable = servable
        self.running = 0
        self.stream_ends: set[Callable[[], None]] = set()
        """What ends each of the streams that run in it: they would never end by themselves."""
        self.idle_since = time.monotonic()
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    def __enter__(self) -> Servable:
        self.running += 1
        self._at_rest.clear()
        return self.servable

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.running -= 1
        self.idle_since = time.monotonic()
        if not self.running:
            self._at_rest.set()

    def end_streams(self) -> None:
        """Tell all streams that the model goes."""
        for end in tuple(self.stream_ends):
            end()

    def abandon_requests(self) -> None:
        """Wait for no request any more."""
        self._at_rest.set()

    async def close_when_idle(self) -> None:
        """Wait until the last request has its answer, then close. No request may enter any more."""
        await self._at_rest.wait()
        try:
            await self.servable.close()
        except Exception:
            log.exception("a model did not close as it should")
        del self.servable
        await asyncio.to_thread(give_back)
