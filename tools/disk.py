"""What the disk has to say about preparing a model, and what to do then."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from calcgraph.tools.errors import PreparationError


def require_room(folder: Path, needed: int) -> None:
    """Raises PreparationError when a folder's disk has less than `needed` bytes left."""
    # A full disk is told late and badly by what comes next: pip takes it for a broken connection.
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PreparationError(
            f"the disk of {folder.parent} has {free // 10**6:,} MB left and preparing the model takes "
            f"{needed // 10**6:,} MB: free some, or choose another --model_repository_path"
        )


_ADVICE = {
    errno.ENOSPC: "the disk is full; free some",
    errno.EDQUOT: "the disk quota is used up; free some",
    errno.EFBIG: "files of this size are not allowed here; raise the limit (ulimit -f)",
    errno.EACCES: "it may not be written; choose another --model_repository_path",
    errno.EPERM: "it may not be written; choose another --model_repository_path",
    errno.EROFS: "its file system is read-only; choose another --model_repository_path",
    errno.ENOTDIR: "a file is where a folder is needed; choose another --model_repository_path",
    errno.EEXIST: "a file is where a folder is needed; choose another --model_repository_path",
}


def explain(error: OSError, target: Path) -> str:
    """One sentence on an error met while preparing `target`."""
    place = error.filename or target
    advice = _ADVICE.get(error.errno or 0, "see to it, or choose another --model_repository_path")
    return (
        f"cannot prepare {target}: {place}: {error.strerror or error}: {advice}, and run it again"
    )
