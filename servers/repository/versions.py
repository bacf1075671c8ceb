"""From what the configuration says of a model to its versions, each with a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calcgraph.servers.model_config import ModelEntry

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


def versions_of(entry: ModelEntry) -> Sequence[VersionEntry]:
    """The versions that are to be served, in ascending order. Raises ConfigError."""
    return [VersionEntry(entry.name, GRAPH_VERSION, entry.base_path, entry.graph_file)]
