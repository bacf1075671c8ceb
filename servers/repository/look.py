"""What the files of models are at one moment, to see later whether they changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from calcgraph.servers.model_config import ConfigError, ModelEntry
from calcgraph.servers.repository.versions import VersionEntry, versions_of

Stamp = tuple[int, int, int]
"""Inode, time of the last change in nanoseconds, size."""
Stamps = Mapping[str, Stamp]
"""By path; a file that is not there has none."""

_DEEPEST: Final = 4
"""Levels of folders below a model's own in which files are looked at."""

# Of the files that models are made of. Others come and go as a server runs: logs, caches of compiled models.
_SUFFIXES: Final = frozenset(
    (
        *(".pbtxt", ".json", ".txt", ".model", ".jinja", ".tiktoken", ".vocab", ".npz", ".py"),
        *(".xml", ".bin", ".onnx", ".onnx_data", ".safetensors", ".pb", ".tflite"),
        *(".pdmodel", ".pdiparams"),
    )
)
_WEIGHTS: Final = (".bin", ".onnx", ".onnx_data", ".safetensors", ".pb", ".tflite", ".pdiparams")


@dataclass(frozen=True, slots=True)
class VersionLook:
    """One version, and the files it is made of."""

    entry: VersionEntry
    files: Stamps

    @property
    def weight_bytes(self) -> int:
        """Of its largest files, about what it takes in memory."""
        return sum(size for path, (_, _, size) in self.files.items() if path.endswith(_WEIGHTS))


@dataclass(frozen=True, slots=True)
class ModelLook:
    """One model of the configuration: its versions, or why it has none."""

    entry: ModelEntry
    versions: Sequence[VersionLook] = ()
    problem: ConfigError | None = field(default=None, compare=False)


def look_at(entry: ModelEntry) -> ModelLook:
    """Reads folders, so that it is for a thread."""
    try:
        return ModelLook(entry, [VersionLook(each, _files(each)) for each in versions_of(entry)])
    except ConfigError as error:
        return ModelLook(entry, problem=error)


def stamps(files: Iterator[str] | Sequence[str]) -> Stamps:
    """Links are followed: Kubernetes changes what it mounts by turning one."""
    found: dict[str, Stamp] = {}
    for file in files:
        try:
            status = os.stat(file)
        except OSError:
            continue
        found[file] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def _files(entry: VersionEntry) -> Stamps:
    found = dict(stamps(model_files(entry.base_path)))
    if entry.graph_file.is_file():
        found |= stamps([str(entry.graph_file)])
    return found


def model_files(folder: Path) -> Iterator[str]:
    """The files of which a folder's model may be made."""
    top = str(folder).count(os.sep)
    for place, folders, files in os.walk(folder):
        deep = place.count(os.sep) - top >= _DEEPEST
        folders[:] = [] if deep else [name for name in folders if not name.startswith((".", "__"))]
        for name in files:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in _SUFFIXES:
                yield os.path.join(place, name)
