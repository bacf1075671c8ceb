"""What a model is called by clients, which is its folder's path in the repository as well."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from calcgraph.tools.errors import PreparationError


def model_name(source: str, given: str | None) -> str:
    """The name that was given, or the one on the hub, or the last part of a folder's path.

    Raises PreparationError.
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
