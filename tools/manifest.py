"""The list of a prepared model's files, by which the next pull sees that nothing is left to do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from calcgraph.tools.fetch import file_sha256

NAME = "calcgraph_manifest.json"
# Its users edit these; only their absence is a fault.
_EDITABLE = (".pbtxt", ".json", ".txt")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a model folder comes from, how its weights are stored, and {path: {"size", "sha256"}}."""

    source: str
    weight_format: str
    files: dict[str, dict[str, int | str]]


def write_manifest(folder: Path, source: str, weight_format: str) -> None:
    """Describe every file that lies in the folder now."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files: dict[str, dict[str, int | str]] = {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in paths
    }
    manifest = Manifest(source, weight_format, files)
    (folder / NAME).write_text(json.dumps(asdict(manifest), indent=2) + "\n")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, or None when it has none that can be read."""
    try:
        return Manifest(**json.loads((folder / NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def fault(folder: Path, manifest: Manifest) -> str | None:
    """What is wrong with a prepared folder, judged by names and sizes; None when it is complete."""
    for name, described in manifest.files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        size = path.stat().st_size
        if not name.endswith(_EDITABLE) and size != described["size"]:
            return f"{name} has {size:,} bytes, expected were {described['size']:,}"
    return None
