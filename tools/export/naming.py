"""What a model is called by clients, which is its folder's path in the repository as well."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from calcgraph.tools.errors import PreparationError


def model_name(source: str, given: str | None) -> str:
    """The name that was given, or the one on the hub, or the last part of a folder's path.

    Raises PreparationError.
    """
    if given is None and not Path(source).is_dir():
        return source  # of the hub, which has its own rules for names
    name = given or Path(source).resolve().name
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise PreparationError(
            f"{name!r} is no name of a model: expected words without '..', and '/' between them only; "
            "give --model_name"
        )
    return name
