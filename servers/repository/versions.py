"""From what the configuration says of a model to its versions, each with a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calcgraph.servers.model_config import ConfigError, ModelEntry
from calcgraph.servers.plain_models import PlainModel, graph_text, served_versions

GRAPH_VERSION: Final = 1
"""A folder with a graph.pbtxt has one version, as in OVMS."""


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """One version to load."""

    name: str
    version: int
    base_path: Path
    """The folder that paths in the graph start from."""
    graph_file: Path
    """Of a graph that was written for a plain model, that model's folder: messages name it."""
    graph_text: str = ""
    """The graph, where no file holds it."""


def versions_of(entry: ModelEntry) -> Sequence[VersionEntry]:
    """The versions that are to be served, in ascending order. Raises ConfigError."""
    if entry.problem is not None:
        raise entry.problem
    if entry.plain is not None:
        return _plain_versions(entry, entry.plain)
    return [VersionEntry(entry.name, GRAPH_VERSION, entry.base_path, entry.graph_file)]


def _plain_versions(entry: ModelEntry, plain: PlainModel) -> Sequence[VersionEntry]:
    try:
        folders = served_versions(entry.base_path, plain)
    except ValueError as error:
        raise ConfigError(f"model '{entry.name}': {error}") from None
    return [
        VersionEntry(entry.name, number, folder, folder, graph_text(plain))
        for number, folder in folders.items()
    ]
