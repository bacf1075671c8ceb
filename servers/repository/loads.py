"""Loading versions one after the other, in the memory that there is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Protocol

from calcgraph.servers.repository.look import VersionLook
from calcgraph.servers.repository.memory import resident_bytes
from calcgraph.servers.repository.versions import VersionEntry
from calcgraph.servers.servable import Servable

log = logging.getLogger(__name__)

Opener = Callable[[VersionEntry], Awaitable[Servable]]
"""Loads a version. Raises StatusError."""

_LEAVES_WITHIN_S: Final = 30.0
"""How long a load waits for the running requests of a model that makes room for it."""


class Tenant(Protocol):
    """A version that may be in memory."""

    @property
    def idle_since(self) -> float | None:
        """When it was used last, by time.monotonic; None while it is not in memory."""

    async def sleep(self) -> None:
        """Leave the memory until the next request."""


class Loads:
    """A load takes all cores, so that two at a time would only take longer.

    With a budget, versions that were not used for the longest time leave before another one comes. What a
    version takes is measured when it is loaded, and is at least the size of its weights.
    """

    def __init__(self, open_version: Opener, budget_bytes: int | None = None) -> None:
        self._open = open_version
        self._budget = budget_bytes
        self._turn = asyncio.Lock()
        self._sizes: dict[Tenant, int] = {}

    async def open(self, tenant: Tenant, look: VersionLook) -> Servable:
        """Load a version for its tenant. Raises what loading raises."""
        async with self._turn:
            needed = max(self._sizes.get(tenant, 0), look.weight_bytes)
            await self._make_room(tenant, needed)
            before = resident_bytes()
            servable = await self._open(look.entry)
            self._sizes[tenant] = max(resident_bytes() - before, look.weight_bytes)
            return servable

    def forget(self, tenant: Tenant) -> None:
        """It will not come back."""
        self._sizes.pop(tenant, None)

    async def _make_room(self, tenant: Tenant, needed: int) -> None:
        if self._budget is None:
            return
        while (taken := sum(self._sizes[each] for each in self._present())) + needed > self._budget:
            others = [each for each in self._present() if each is not tenant]
            if not others:
                log.warning(
                    "a model of %d MiB is loaded into a memory budget of %d MiB, of which %d are taken",
                    *(n >> 20 for n in (needed, self._budget, taken)),
                )
                return
            await _leave(min(others, key=lambda each: each.idle_since or 0.0))

    def _present(self) -> Iterator[Tenant]:
        return (each for each in self._sizes if each.idle_since is not None)


async def _leave(tenant: Tenant) -> None:
    """Its running requests end before it is freed; those of a stream may not end for long."""
    leaving = asyncio.ensure_future(tenant.sleep())
    await asyncio.wait([leaving], timeout=_LEAVES_WITHIN_S)
