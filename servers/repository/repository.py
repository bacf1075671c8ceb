"""The models by name, loaded, unloaded and changed while they serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers.errors import shortened
from calcgraph.servers.model_config import ModelEntry
from calcgraph.servers.repository.loads import Loads, Opener
from calcgraph.servers.repository.look import ModelLook, VersionLook, look_at
from calcgraph.servers.repository.memory import give_back
from calcgraph.servers.repository.model import Model
from calcgraph.servers.repository.model_version import ModelVersion
from calcgraph.servers.repository.opening import open_graph
from calcgraph.servers.repository.source import Look, Source
from calcgraph.servers.repository.status import Failure, VersionStatus
from calcgraph.servers.repository.versions import GRAPH_VERSION, VersionEntry

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Refreshed:
    """What came of looking at the files."""

    changed: bool = False
    problems: list[str] = field(default_factory=list)


class Repository:
    """A name is registered before its model is loaded. Belongs to one event loop.

    `load` and `unload` do what somebody asks for. `refresh` follows the files: a version whose files are
    others is loaded beside the one that serves, which serves on when that fails; and it is not tried again
    before its files change again.
    """

    def __init__(
        self,
        open_version: Opener = open_graph,
        *,
        source: Source | None = None,
        budget_bytes: int | None = None,
    ) -> None:
        """The models of `source` are registered. Those in memory are to take `budget_bytes` at most."""
        self._models: dict[str, Model] = {}
        self._source = source
        self._loads = Loads(open_version, budget_bytes)
        self._changes = asyncio.Lock()
        self._seen: Look | None = None
        self._rejected: Failure | None = None
        """Why the configuration is not served as it is."""
        self._leaving: dict[asyncio.Task[None], ModelVersion] = {}
        for entry in source.entries if source else ():
            self.register(entry)

    @property
    def names(self) -> Sequence[str]:
        """Every registered name, loaded or not, in the order of the configuration."""
        return tuple(self._models)

    @property
    def statuses(self) -> Mapping[str, Sequence[VersionStatus]]:
        """The versions of every model, ascending."""
        return {name: model.statuses for name, model in self._models.items()}

    def model(self, name: str) -> Model:
        """Raises RequestError (NOT_FOUND) for a name that is not registered."""
        found = self._models.get(name)
        if found is None:
            asked = shortened(name)
            raise RequestError(
                f"The model '{asked}' does not exist{did_you_mean(asked, self._models)}",
                param="model",
                reason="model_not_found",
                code=Code.NOT_FOUND,
            )
        return found

    def register(self, entry: ModelEntry) -> None:
        """Make a name known; requests for it are told to wait."""
        self._models[entry.name] = self._registered(look_at(entry))

    async def start(self, name: str) -> None:
        """Load a registered model, or see to it that its first request does.

        Raises StatusError for the first version that cannot be loaded.
        """
        model = self.model(name)
        async with self._changes:
            await self._load(model, lazily=model.entry.lazy)

    async def load(self, name: str) -> None:
        """Load the versions of a registered name as its files are now, in the place of what it served.

        Raises RequestError for an unknown name, StatusError for the first version that cannot be loaded.
        """
        model = self.model(name)
        async with self._changes:
            model.dismissed = False
            await self._load(model, lazily=False)

    async def unload(self, name: str) -> None:
        """Free a model; its name stays and requests for it are refused. Returns once it is freed."""
        model = self.model(name)
        async with self._changes:
            model.dismissed = True
            await asyncio.gather(*(version.unload() for version in model.versions.values()))

    async def refresh(self, *, patient: bool = False) -> Refreshed:
        """Serve what the files say now, as far as it loads.

        When `patient`, files are taken once they are the same as at the last look: others are still being
        written. Otherwise what failed before is tried again.
        """
        async with self._changes:
            if self._source is None:
                return Refreshed()
            look = await asyncio.to_thread(self._source.look)
            before, self._seen = self._seen if patient else look, look
            if before is None or before.config != look.config:
                return Refreshed()
            return await self._follow(look, before, retry=not patient)

    async def watch(self, every_s: float) -> None:
        """Refresh until cancelled; not at all when `every_s` is 0."""
        if not every_s:
            await asyncio.get_running_loop().create_future()
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.refresh(patient=True)
            except Exception:
                log.exception("the models' files could not be followed")

    async def close(self) -> None:
        """Free all models, with the server; the names stay, not ready."""
        for version in self._leaving.values():
            await version.close()
        for model in self._models.values():
            for version in model.versions.values():
                await version.close()

    async def _follow(self, look: Look, before: Look, *, retry: bool) -> Refreshed:
        done = Refreshed()
        rejected = self._config_failure(look, done)
        unsettled = [each for each in look.models if each not in before.models]
        names = [each.entry.name for each in look.models]
        for name in [name for name in self._models if name not in names]:
            log.info("%s is no longer in the configuration and leaves", name)
            self._leave(self._models.pop(name).versions)
            done.changed = True
        for each in look.models:
            if each not in unsettled:
                await self._follow_model(each, done, rejected, retry=retry)
        self._models = {name: self._models[name] for name in names if name in self._models}
        return done

    async def _follow_model(
        self, look: ModelLook, done: Refreshed, rejected: Failure | None, *, retry: bool
    ) -> None:
        model = self._models.setdefault(look.entry.name, self._registered(look))
        model.entry = look.entry
        if model.dismissed:
            return
        if look.problem is not None:
            if model.reject(Failure.of(look.problem)):
                log.error("%s", look.problem)
            done.problems.append(str(look.problem))
            return
        model.reject(rejected)
        for each in look.versions:
            version = self._version(model, each)
            same = version.look == each and not version.untried
            if not same or (retry and version.failed):
                await self._try(version, each, done, lazily=look.entry.lazy)
        self._retire(model, look.versions, done)

    async def _try(
        self, version: ModelVersion, look: VersionLook, done: Refreshed, *, lazily: bool
    ) -> None:
        try:
            await _bring_up(version, look, lazily=lazily)
        except StatusError as error:
            served = "; what was served before is served on" if version.serves else ""
            log.error("%s%s", error, served)
            done.problems.append(str(error))
        else:
            log.info(
                "%s version %d is served from its files as they are now",
                version.name,
                version.number,
            )
            done.changed = True
            return
        await asyncio.to_thread(give_back)  # what was loaded until it failed

    def _retire(self, model: Model, wanted: Sequence[VersionLook], done: Refreshed) -> None:
        """Let go of versions that are no longer to be served, once those in their place serve."""
        numbers = {each.entry.version for each in wanted}
        replaced = all(model.versions[number].serves for number in numbers)
        gone = [
            number
            for number, version in model.versions.items()
            if number not in numbers and (replaced or not version.serves)
        ]
        if gone:
            self._leave({number: model.versions.pop(number) for number in gone})
            done.changed = True

    def _config_failure(self, look: Look, done: Refreshed) -> Failure | None:
        """Why the configuration is not taken; said once."""
        before = self._rejected
        self._rejected = Failure.of(look.problem) if look.problem else None
        if self._rejected is not None:
            done.problems.append(self._rejected.reason)
            if self._rejected != before:
                log.error("%s; the configuration before it is served on", self._rejected.reason)
        return self._rejected

    def _leave(self, versions: Mapping[int, ModelVersion]) -> None:
        """Unload, without waiting for requests that run."""
        for version in versions.values():
            task = asyncio.create_task(version.unload())
            self._leaving[task] = version
            task.add_done_callback(self._leaving.pop)

    async def _load(self, model: Model, *, lazily: bool) -> None:
        look = await asyncio.to_thread(look_at, model.entry)
        if look.problem is not None:
            model.reject(Failure.of(look.problem))
            raise look.problem
        model.reject(None)
        for each in look.versions:
            await _bring_up(self._version(model, each), each, lazily=lazily)
        self._retire(model, look.versions, Refreshed())

    def _registered(self, look: ModelLook) -> Model:
        entry = look.entry
        nothing = VersionEntry(entry.name, GRAPH_VERSION, entry.base_path, entry.graph_file)
        model = Model(entry, {})
        for each in look.versions or [VersionLook(nothing, {})]:
            self._version(model, each)
        return model

    def _version(self, model: Model, look: VersionLook) -> ModelVersion:
        """The version of a model, which may be new."""
        number = look.entry.version
        if number not in model.versions:
            model.versions[number] = ModelVersion(look, self._loads)
        version = model.versions[number]
        version.keep_alive_s = model.entry.keep_alive_s
        return version


async def _bring_up(version: ModelVersion, look: VersionLook, *, lazily: bool) -> None:
    if lazily and version.in_memory is None:
        version.load_later(look)
    else:
        await version.load(look)
