"""One version of a model: whether it serves, whether it is in memory, and how it changes places with itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.servers.repository.loaded import Loaded
from calcgraph.servers.repository.status import State, VersionStatus
from calcgraph.servers.repository.versions import VersionEntry
from calcgraph.servers.servable import Servable

if TYPE_CHECKING:
    from calcgraph.runtime.model_metadata import ModelMetadata

log = logging.getLogger(__name__)

Opener = Callable[[VersionEntry], Awaitable[Servable]]
"""Loads a version. Raises StatusError."""


class ModelVersion:
    """Belongs to one event loop. Whoever changes its state does so from one task at a time."""

    def __init__(self, entry: VersionEntry, open_version: Opener, loads: asyncio.Lock) -> None:
        self.entry = entry
        self.metadata: ModelMetadata | None = None
        """What the model says of itself, once it was loaded; stays while it is not in memory."""
        self._open = open_version
        self._loads = loads
        self._state = State.LOADING
        self._problem: StatusError | None = None
        self._loaded: Loaded | None = None
        self._waking: asyncio.Task[None] | None = None
        self._closing: dict[asyncio.Task[None], Loaded] = {}

    @property
    def status(self) -> VersionStatus:
        problem = self._problem
        if problem is None:
            return VersionStatus(self.entry.version, self._state)
        return VersionStatus(self.entry.version, self._state, problem.code, str(problem))

    @property
    def serves(self) -> bool:
        """Requests are answered, if need be after the model was loaded for them."""
        return self._state is State.AVAILABLE

    @property
    def ready(self) -> bool:
        """It answers now."""
        return self.serves and (self._loaded is None or self._loaded.servable.ready)

    @property
    def unloaded(self) -> bool:
        """On purpose: requests are refused until it is loaded."""
        return self._state in (State.UNLOADING, State.END)

    @property
    def in_memory(self) -> Servable | None:
        return self._loaded.servable if self._loaded else None

    async def loaded(self) -> Loaded:
        """What a request enters, at once. Waits until it is in memory; raises UNAVAILABLE when it does not serve."""
        while self._loaded is None:
            if not self.serves:
                raise self._not_ready()
            await self._wake()
        return self._loaded

    async def load(self, entry: VersionEntry) -> None:
        """Load it as `entry` says, beside what is loaded now, and let it take that one's place.

        Raises StatusError when it cannot; what was served before is served further, and `status` says why.
        """
        if self.unloaded:
            self._state = State.LOADING
        try:
            async with self._loads:
                servable = await self._open(entry)
        except StatusError as error:
            self._problem = error
            raise
        self.entry = entry
        self._take(servable)

    def put_to_sleep(self, entry: VersionEntry) -> None:
        """Free its memory once the running requests are answered; the next request loads it again."""
        self.entry = entry
        self._state = State.AVAILABLE
        self._problem = None
        self._let_go()

    async def unload(self) -> None:
        """Answer what runs, then free it. Later requests are refused."""
        self._state = State.UNLOADING
        self._let_go()
        await asyncio.gather(*self._closing)
        self._state = State.END

    async def close(self) -> None:
        """Free it now, with the server: no request runs any more."""
        self._state = State.END
        self._let_go()
        for loaded in self._closing.values():
            loaded.abandon_requests()
        await asyncio.gather(*self._closing)

    def _take(self, servable: Servable) -> None:
        self._let_go()
        self._loaded = Loaded(servable)
        self.metadata = servable.metadata
        self._state = State.AVAILABLE
        self._problem = None

    def _let_go(self) -> None:
        if self._loaded is None:
            return
        loaded, self._loaded = self._loaded, None
        task = asyncio.create_task(loaded.close_when_idle())
        self._closing[task] = loaded
        task.add_done_callback(self._closing.pop)

    async def _wake(self) -> None:
        """Load it once for all who wait; one that gives up takes nobody along."""
        if self._waking is None:
            self._waking = asyncio.create_task(self._load_again())
            self._waking.add_done_callback(self._woken)
        await asyncio.shield(self._waking)

    def _woken(self, _: asyncio.Task[None]) -> None:
        self._waking = None

    async def _load_again(self) -> None:
        try:
            async with self._loads:
                servable = await self._open(self.entry)
        except StatusError as error:
            log.error("%s", error)
            self._problem = error
            self._state = State.LOADING
            return
        if self.serves and self._loaded is None:
            self._take(servable)
        else:
            await servable.close()

    def _not_ready(self) -> RequestError:
        name = self.entry.name
        if self.unloaded:
            message = f"The model '{name}' is unloaded."
        elif self._problem is not None:
            message = f"The model '{name}' could not be loaded; GET /v1/config and the log say why."
        else:
            message = f"The model '{name}' is not ready yet."
        return RequestError(message, param="model", reason="model_not_ready", code=Code.UNAVAILABLE)
