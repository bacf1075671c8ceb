"""One version of a model: whether it serves, whether it is in memory, and how it changes places with itself."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.servers.repository.loaded import Loaded
from calcgraph.servers.repository.loads import Loads
from calcgraph.servers.repository.look import VersionLook
from calcgraph.servers.repository.status import Failure, State, VersionStatus
from calcgraph.servers.repository.versions import VersionEntry
from calcgraph.servers.servable import Servable

if TYPE_CHECKING:
    from calcgraph.runtime.model_metadata import ModelMetadata

log = logging.getLogger(__name__)


class ModelVersion:
    """Belongs to one event loop. Whoever changes its state does so from one task at a time."""

    def __init__(self, look: VersionLook, loads: Loads) -> None:
        self.look = look
        """The files that were loaded last, or that could not be."""
        self.keep_alive_s = 0.0
        """Freed after so long without a request; 0 is never."""
        self.rejected: Failure | None = None
        """Why a change of the configuration was not taken, or of the model's folder."""
        self.metadata: ModelMetadata | None = None
        """What the model says of itself, once it was loaded; stays while it is not in memory."""
        self._loads = loads
        self._state = State.LOADING
        self._failure: Failure | None = None
        self._loaded: Loaded | None = None
        self._waking: asyncio.Task[None] | None = None
        self._closing: dict[asyncio.Task[None], Loaded] = {}
        self._bedtime: asyncio.TimerHandle | None = None

    @property
    def entry(self) -> VersionEntry:
        return self.look.entry

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def number(self) -> int:
        return self.entry.version

    @property
    def status(self) -> VersionStatus:
        failures = [each for each in (self._failure, self.rejected) if each is not None]
        if not failures:
            return VersionStatus(self.number, self._state)
        reason = "\n".join(each.reason for each in failures)
        return VersionStatus(self.number, self._state, failures[0].code, reason)

    @property
    def untried(self) -> bool:
        """Nobody has tried to load it yet."""
        return self._state is State.LOADING and self._failure is None

    @property
    def failed(self) -> bool:
        """The last load failed."""
        return self._failure is not None

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

    @property
    def idle_since(self) -> float | None:
        return self._loaded.idle_since if self._loaded else None

    async def loaded(self) -> Loaded:
        """What a request enters, at once. Waits until it is in memory; raises UNAVAILABLE when it does not serve."""
        while self._loaded is None:
            if not self.serves:
                raise self._not_ready()
            await self._wake()
        return self._loaded

    async def load(self, look: VersionLook) -> None:
        """Load it from these files, beside what is loaded now, and let it take that one's place.

        Raises StatusError when it cannot; what was served before is served further, and `status` says why.
        """
        if self.unloaded:
            self._state = State.LOADING
        self.look = look
        try:
            servable = await self._loads.open(self, look)
        except StatusError as error:
            self._failure = Failure.of(error)
            raise
        self._take(servable)

    def load_later(self, look: VersionLook) -> None:
        """Serve these files from the first request on that needs them."""
        self.look = look
        self._state = State.AVAILABLE
        self._failure = None

    async def sleep(self) -> None:
        """Free its memory once the running requests are answered; the next request loads it again."""
        self._let_go()
        await asyncio.gather(*self._closing)

    async def unload(self) -> None:
        """Answer what runs and end its streams, then free it. Later requests are refused."""
        self._state = State.UNLOADING
        self._let_go()
        for loaded in tuple(self._closing.values()):
            loaded.end_streams()
        await self.sleep()
        self._state = State.END
        self._loads.forget(self)

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
        self._failure = None
        self._sleep_in(self.keep_alive_s)

    def _let_go(self) -> None:
        if self._bedtime is not None:
            self._bedtime.cancel()
        if self._loaded is None:
            return
        loaded, self._loaded = self._loaded, None
        task = asyncio.create_task(loaded.close_when_idle())
        self._closing[task] = loaded
        task.add_done_callback(self._closing.pop)

    def _sleep_in(self, seconds: float) -> None:
        if self.keep_alive_s:
            loop = asyncio.get_running_loop()
            self._bedtime = loop.call_later(seconds, self._sleep_if_idle)

    def _sleep_if_idle(self) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        left = loaded.idle_since + self.keep_alive_s - time.monotonic()
        if loaded.running or left > 0:
            self._sleep_in(self.keep_alive_s if loaded.running else left)
            return
        log.info("%s was not asked for %g s and leaves the memory", self.name, self.keep_alive_s)
        self._let_go()

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
            servable = await self._loads.open(self, self.look)
        except StatusError as error:
            log.error("%s", error)
            self._failure, self._state = Failure.of(error), State.LOADING
            return
        if self.serves and self._loaded is None:
            self._take(servable)
        else:
            await servable.close()

    def _not_ready(self) -> RequestError:
        if self.unloaded:
            message = f"The model '{self.name}' is unloaded."
        elif self.failed:
            message = (
                f"The model '{self.name}' could not be loaded; GET /v1/config and the log say why."
            )
        else:
            message = f"The model '{self.name}' is not ready yet."
        return RequestError(message, param="model", reason="model_not_ready", code=Code.UNAVAILABLE)
