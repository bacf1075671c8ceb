"""Whether files have changed, for what is read anew while the server runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_LOOK_S: Final = 1.0

_Identity = tuple[int, int, int] | None


class FileChanges:
    """Asked as often as you like, it looks at the files once a second."""

    def __init__(self, *files: Path) -> None:
        self._files = files
        self._known = self._identities()
        self._next_look = time.monotonic() + _LOOK_S

    def happened(self) -> bool:
        """Whether a file is another than when this was asked before."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + _LOOK_S
        before, self._known = self._known, self._identities()
        return before != self._known

    def _identities(self) -> list[_Identity]:
        return [_identity(file) for file in self._files]


def _identity(file: Path) -> _Identity:
    """Links are followed: Kubernetes changes secrets by turning one."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
