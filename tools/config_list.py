"""Change a config.json, the list of served models, while others read it and change it too.

The file is replaced by a rename, so that a reader finds the old list or the new one. Writers take turns by the
kernel's lock on its folder, which ends with the process however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from calcgraph.tools.errors import PreparationError

Config = dict[str, Any]
_PLAIN, _GRAPHS = "model_config_list", "mediapipe_config_list"


def add_model(file: Path, name: str, folder: Path) -> None:
    """List a model, or the new folder of one that is listed. Raises PreparationError, OSError."""
    with edited(file) as config:
        base_path = _relative(folder, file.parent)
        for entry in _entries(config, file):
            if entry.get("name") == name:
                entry["base_path"] = base_path
                return
        config.setdefault(_PLAIN, []).append({"config": {"name": name, "base_path": base_path}})


def remove_model(file: Path, name: str) -> bool:
    """List a model no longer; whether it was listed. Raises PreparationError, OSError."""
    with edited(file) as config:
        before = sum(1 for _ in _entries(config, file))
        for key in (_PLAIN, _GRAPHS):
            if key in config:
                config[key] = [
                    item for item in config[key] if item.get("config", item).get("name") != name
                ]
        return sum(1 for _ in _entries(config, file)) < before


@contextmanager
def edited(file: Path) -> Iterator[Config]:
    """The config to change in place; written when the block ends without an error, if it was changed.

    A file that is not there is an empty list. Raises PreparationError for one that is no config, and leaves it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        config = _read(file)
        before = json.dumps(config)
        yield config
        if json.dumps(config) != before or not file.exists():
            _replace(file, json.dumps(config, indent=2) + "\n")
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(file: Path) -> Config:
    if not file.exists():
        return {_PLAIN: []}
    try:
        config = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise PreparationError(
            f"{file} is not JSON ({error}): mend it, it was left as it is"
        ) from (error)
    if not isinstance(config, dict):
        raise PreparationError(
            f"{file} holds a JSON {type(config).__name__}, an object with {_PLAIN!r} was expected"
        )
    return config


def _entries(config: Config, file: Path) -> Iterator[dict[str, Any]]:
    """Every entry with a name, of both lists."""
    for key in (_PLAIN, _GRAPHS):
        items = config.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise PreparationError(f"{file}: {key}: a list of objects was expected")
        yield from (item.get("config", item) for item in items)


def _relative(folder: Path, base: Path) -> str:
    """The folder as the config names it: from its own folder when it lies below, else absolute."""
    folder, base = folder.resolve(), base.resolve()
    return folder.relative_to(base).as_posix() if folder.is_relative_to(base) else str(folder)


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as out:
            if file.exists():
                os.fchmod(out.fileno(), file.stat().st_mode & 0o7777)
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
