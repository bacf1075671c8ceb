"""A served name and its versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.servers.model_config import ModelEntry
from calcgraph.servers.repository.model_version import ModelVersion
from calcgraph.servers.repository.status import Failure, VersionStatus

_NEWEST: Final = ("", "0")
"""How requests ask for the newest version that serves."""


class Model:
    """Its versions by number; there is always one, which may not be loaded."""

    def __init__(self, entry: ModelEntry, versions: dict[int, ModelVersion]) -> None:
        self.entry = entry
        self.versions = versions
        self.dismissed = False
        """Unloaded on purpose: no change of its files loads it again."""

    @property
    def numbers(self) -> Sequence[int]:
        """Of the versions that serve, ascending."""
        return sorted(number for number, version in self.versions.items() if version.serves)

    @property
    def ready(self) -> bool:
        """Every version that is to serve answers now; one that was unloaded on purpose is not missed."""
        return all(version.ready or version.unloaded for version in self.versions.values())

    @property
    def statuses(self) -> Sequence[VersionStatus]:
        return [self.versions[number].status for number in sorted(self.versions)]

    def reject(self, failure: Failure | None) -> bool:
        """Say with every version why a change was not taken, None takes it back; whether that is new."""
        known = {version.rejected for version in self.versions.values()}
        for version in self.versions.values():
            version.rejected = failure
        return known != {failure}

    def version(self, asked: str) -> ModelVersion:
        """The version that a request asks for. Raises RequestError for one that there is not."""
        if asked in _NEWEST:
            return self.versions[max(self.numbers or self.versions)]
        if not (asked.isascii() and asked.isdecimal()):
            raise RequestError(f"The version '{asked[:40]}' is not a number.", param="version")
        found = self.versions.get(int(asked[:40]))
        if found is None:
            raise self._no_version(asked[:40])
        return found

    def _no_version(self, asked: str) -> RequestError:
        numbers = self.numbers or sorted(self.versions)
        kind = "version" if len(numbers) == 1 else "versions"
        return RequestError(
            f"The model '{self.entry.name}' has no version {asked}; "
            f"it has {kind} {', '.join(map(str, numbers))}.",
            param="version",
            reason="model_not_found",
            code=Code.NOT_FOUND,
        )
