"""Where it stands which models are to be served: a config.json that may change, or the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from calcgraph.servers.model_config import ConfigError, ModelEntry, config_file, read_config
from calcgraph.servers.repository.look import ModelLook, Stamps, look_at, model_files, stamps


@dataclass(frozen=True, slots=True)
class Look:
    """What all files say at one moment."""

    config: Stamps
    """Of the files that name the models."""
    models: Sequence[ModelLook]
    problem: ConfigError | None = None
    """Why the configuration is not read; `models` are then those that were named before."""


class Source(Protocol):
    """Reads files, so that it is for a thread, one at a time."""

    @property
    def entries(self) -> Sequence[ModelEntry]:
        """The models that were named last."""

    def look(self) -> Look: ...


class SingleModel:
    """A model named on the command line."""

    def __init__(self, entry: ModelEntry) -> None:
        self.entries = [entry]

    def look(self) -> Look:
        return Look({}, [look_at(entry) for entry in self.entries])


class ConfigFile:
    """A config.json, read anew when it is another."""

    def __init__(
        self, file: Path, read: Callable[[Path], Sequence[ModelEntry]] = read_config
    ) -> None:
        """Raises ConfigError when it cannot be read now."""
        self._file = file
        self._read = read
        self._problem: ConfigError | None = None
        self._known: Stamps = {}
        self.entries: Sequence[ModelEntry] = ()
        self._read_again()
        if self._problem is not None:
            raise self._problem

    def look(self) -> Look:
        if self._stamps() != self._known:
            self._read_again()
        return Look(self._known, [look_at(entry) for entry in self.entries], self._problem)

    def _read_again(self) -> None:
        before = self._stamps()
        try:
            self.entries, self._problem = self._read(self._file), None
        except ConfigError as error:
            self._problem = error.with_traceback(None)
        # What changed while it was read is seen at the next look.
        after = self._stamps()
        self._known = {file: before.get(file, stamp) for file, stamp in after.items()}

    def _stamps(self) -> Stamps:
        """Of what `read` reads: folders too, as far as they were not what the configuration says."""
        files = [str(config_file(self._file))]
        for entry in self.entries:
            if entry.subconfig is not None:
                files.append(str(entry.subconfig))
            if entry.problem is not None:
                files += [str(entry.base_path), *model_files(entry.base_path)]
        return stamps(files)
