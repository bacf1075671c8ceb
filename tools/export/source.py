"""Where a model to export lies, and what it is called."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from calcgraph.tools.errors import PreparationError


def local_folder(source: str) -> Path:
    """The folder of a model. Raises PreparationError when there is none."""
    folder = Path(source)
    if not folder.is_dir():
        raise PreparationError(
            f"--source_model {source}: there is no such folder; download the model first and give its folder"
        )
    return folder


def model_name(source: str, given: str | None) -> str:
    """A model's name to clients, which is its folder's path in the repository as well.

    Given, or the name on the hub, or the last part of a folder's path. Raises PreparationError.
    """
    path = Path(source)
    name = given or (path.resolve().name if path.is_dir() else source)
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise PreparationError(
            f"{name!r} is no name of a model: expected words without '..', and '/' between them only; "
            "give --model_name"
        )
    return name
