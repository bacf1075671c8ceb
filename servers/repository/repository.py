"""The models by name, loaded, unloaded and changed while they serve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers.errors import shortened
from calcgraph.servers.model_config import ModelEntry
from calcgraph.servers.repository.model import Model
from calcgraph.servers.repository.model_version import ModelVersion, Opener
from calcgraph.servers.repository.opening import open_graph
from calcgraph.servers.repository.status import VersionStatus
from calcgraph.servers.repository.versions import VersionEntry, versions_of


class Repository:
    """A name is registered before its model is loaded. Belongs to one event loop.

    Loads come one after the other, off the loop: each takes all cores.
    """

    def __init__(self, open_version: Opener = open_graph) -> None:
        self._models: dict[str, Model] = {}
        self._open = open_version
        self._loads = asyncio.Lock()
        self._changes = asyncio.Lock()

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
        """Make a name known; requests for it are told to wait. Raises ConfigError for want of a version."""
        versions = {found.version: self._version(found) for found in versions_of(entry)}
        self._models[entry.name] = Model(entry, versions)

    async def load(self, name: str) -> None:
        """Load the versions of a registered name as its files are now, in the place of what it served.

        Raises RequestError for an unknown name, StatusError for the first version that cannot be loaded.
        """
        model = self.model(name)
        async with self._changes:
            await self._bring_up(model, versions_of(model.entry))

    async def unload(self, name: str) -> None:
        """Free a model; its name stays and requests for it are refused. Returns once it is freed."""
        model = self.model(name)
        async with self._changes:
            await asyncio.gather(*(version.unload() for version in model.versions.values()))

    async def close(self) -> None:
        """Free all models, with the server; the names stay, not ready."""
        for model in self._models.values():
            for version in model.versions.values():
                await version.close()

    async def _bring_up(self, model: Model, entries: Sequence[VersionEntry]) -> None:
        wanted = {entry.version for entry in entries}
        for entry in entries:
            version = model.versions.setdefault(entry.version, self._version(entry))
            await version.load(entry)
        for number in [number for number in model.versions if number not in wanted]:
            await model.versions.pop(number).unload()

    def _version(self, entry: VersionEntry) -> ModelVersion:
        return ModelVersion(entry, self._open, self._loads)
