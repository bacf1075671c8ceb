"""A folder that appears whole or not at all.

    <parent>/.<name>.preparing/      locked by the one process that is at work
        downloads/                   kept when a run is interrupted: the next one continues
        folder/                      what is being built; thrown away when a run is interrupted
        replaced/                    the old folder, in the moment of the exchange

Everything lies on the file system of the target, so that the last step is a rename. The lock is the kernel's
and ends with the process however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Staging:
    """The place where `target` is being prepared."""

    target: Path
    root: Path

    @property
    def downloads(self) -> Path:
        return self.root / "downloads"

    @property
    def folder(self) -> Path:
        return self.root / "folder"

    @property
    def replaced(self) -> Path:
        return self.root / "replaced"

    def publish(self) -> None:
        """Make `folder` the target, durably, in the place of what was there."""
        for path in (*self.folder.rglob("*"), self.folder):
            _flush_to_disk(path)
        if self.target.exists():
            self.target.rename(self.replaced)
        self.folder.rename(self.target)
        _flush_to_disk(self.target.parent)
        shutil.rmtree(self.root)


@contextmanager
def staging(target: Path) -> Iterator[Staging]:
    """A place to prepare `target`, for one process at a time; others wait.

    Whoever waited should look whether the target is there by now. Without `publish` the target stays as it was.
    """
    root = target.parent / f".{target.name}.preparing"
    with _locked(root):
        place = Staging(target, root)
        _recover(place)
        place.folder.mkdir()
        place.downloads.mkdir(exist_ok=True)
        try:
            yield place
        finally:
            shutil.rmtree(place.folder, ignore_errors=True)
            for emptied in (place.downloads, root):
                with suppress(OSError):
                    emptied.rmdir()


def _recover(place: Staging) -> None:
    """Undo what a killed run left behind."""
    if place.replaced.exists() and not place.target.exists():
        place.replaced.rename(place.target)
    for leftover in (place.folder, place.replaced):
        if leftover.exists():
            shutil.rmtree(leftover)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Create a folder and hold its lock."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(descriptor, folder)
            # Its owner may have removed the folder while we waited: then this lock guards nothing.
            if _is_still(folder, descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another process that is at work in {folder}", file=sys.stderr)
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_still(folder: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    return False


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
