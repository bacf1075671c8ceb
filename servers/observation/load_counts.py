"""How often models were loaded, and how long that took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from calcgraph.servers.repository.versions import VersionEntry

Opened = TypeVar("Opened")


class LoadCounts:
    """Counts every load, the first ones too: a reload is one more."""

    def __init__(self) -> None:
        self.loads: Counter[tuple[str, str]] = Counter()
        """By model and outcome: ok, failed or cancelled."""
        self.seconds: dict[str, float] = {}
        """Of the newest load of each model that went well."""

    def counted(
        self, open_version: Callable[[VersionEntry], Awaitable[Opened]]
    ) -> Callable[[VersionEntry], Awaitable[Opened]]:
        """The same opener, its loads counted."""

        async def open_and_count(entry: VersionEntry) -> Opened:
            start, outcome = time.monotonic(), "cancelled"
            try:
                opened = await open_version(entry)
                outcome = "ok"
            except Exception:
                outcome = "failed"
                raise
            finally:
                self.loads[entry.name, outcome] += 1
            self.seconds[entry.name] = time.monotonic() - start
            return opened

        return open_and_count
