"""Loading and unloading models from outside, in the words of KServe's repository extension."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.repository.status import State, VersionStatus

_STATES: Final = {
    State.LOADING: "LOADING",
    State.AVAILABLE: "READY",
    State.UNLOADING: "UNLOADING",
    State.END: "UNAVAILABLE",
}
_IGNORED: Final = frozenset({"unload_dependents"})


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One version of a model."""

    name: str
    version: str
    state: str
    """READY, LOADING, UNLOADING or UNAVAILABLE."""
    reason: str = ""


class ModelControl:
    """What the extension's calls do. Where it is off, every call raises UNIMPLEMENTED."""

    def __init__(self, plane: DataPlane, *, enabled: bool) -> None:
        self._plane = plane
        self.enabled = enabled

    def index(self, *, ready: bool = False) -> list[IndexEntry]:
        """Every version of every registered model, or those that are ready."""
        self._require()
        entries = [
            _entry(name, status)
            for name, statuses in self._plane.statuses().items()
            for status in statuses
        ]
        return [entry for entry in entries if entry.state == "READY" or not ready]

    async def load(self, name: str, parameters: Iterable[str] = ()) -> None:
        """Load a registered model as its files are now.

        Raises RequestError: NOT_FOUND for an unknown name, INVALID_ARGUMENT for a model that cannot be
        loaded, UNIMPLEMENTED for parameters that bring a configuration or files along.
        """
        self._require()
        for parameter in sorted(set(parameters) - _IGNORED):
            raise RequestError(
                f"The parameter '{parameter:.80}' is not supported: a model is loaded as its files are.",
                param=f"parameters.{parameter:.80}",
                code=Code.UNIMPLEMENTED,
            )
        try:
            await self._plane.load(name)
        except RequestError:
            raise
        except StatusError as error:
            raise RequestError(error.message, param="model") from error

    async def unload(self, name: str) -> None:
        """Free a registered model once what runs in it has ended. Raises NOT_FOUND for an unknown name."""
        self._require()
        await self._plane.unload(name)

    def _require(self) -> None:
        if not self.enabled:
            raise RequestError(
                "The repository extension is off; the server's flag --repository_extension turns it on.",
                code=Code.UNIMPLEMENTED,
            )


def _entry(name: str, status: VersionStatus) -> IndexEntry:
    state = _STATES[status.state]
    if state == "LOADING" and status.code is not Code.OK:
        state = "UNAVAILABLE"
    reason = status.reason or ("unloaded" if status.state is State.END else "")
    return IndexEntry(name, str(status.version), state, reason)
