"""The key file: OVMS's, whose first line is the key, or ours, JSON with the hashes of many.

{"keys": [{"name": "search", "hash": "sha256:9f86d0...", "scopes": ["infer"],
           "requests_per_minute": 600, "tokens_per_minute": 100000}]}
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers.auth.keys import Key, KeySet, plain_key
from calcgraph.servers.auth.scopes import Scope
from calcgraph.servers.file_changes import FileChanges
from calcgraph.servers.model_config import ConfigError

_HASH: Final = "sha256:"
_MEMBERS: Final = ("name", "hash", "scopes", "requests_per_minute", "tokens_per_minute")

log = logging.getLogger(__name__)


class KeyFile:
    """The keys of a file as it is now: who is added may call, who is removed may not, within a second."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError."""
        self._file = file
        self._changes = FileChanges(file)
        self._keys = KeySet(read_keys(file))

    def find(self, secret: str) -> Key | None:
        if self._changes.happened():
            self._read_anew()
        return self._keys.find(secret)

    def _read_anew(self) -> None:
        try:
            self._keys = KeySet(read_keys(self._file))
        except ConfigError as error:
            log.error("the keys stay as they were: %s", error)
        else:
            log.info("%s has changed: %d keys", self._file, len(self._keys.keys))


def read_keys(file: Path) -> Sequence[Key]:
    """Raises ConfigError, which names the place and never quotes a secret."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: the keys cannot be read: {error}") from None
    if text.lstrip().startswith("{"):
        return list(_read_json(file, text))
    secret = text.partition("\n")[0].strip()
    if not secret:
        raise ConfigError(f"{file}: the first line is empty; expected a key")
    return [plain_key(secret, file.name)]


def write_keys(file: Path, keys: Sequence[Key]) -> None:
    """Replace the file at once, readable by its owner alone: whoever reads it finds all of the old or the new."""
    text = json.dumps({"keys": [_written(key) for key in keys]}, indent=2) + "\n"
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _read_json(file: Path, text: str) -> Iterator[Key]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: not JSON: {error}") from None
    items = found.get("keys")
    if not isinstance(items, list) or len(found) > 1:
        raise ConfigError(f'{file}: expected {{"keys": [...]}} and nothing else')
    names: set[str] = set()
    for index, item in enumerate(items):
        key = _read_key(f"{file}: keys[{index}]", item)
        if key.name in names:
            raise ConfigError(f"{file}: two keys are named '{key.name}'")
        names.add(key.name)
        yield key


def _read_key(place: str, item: Any) -> Key:
    if not isinstance(item, dict):
        raise ConfigError(f"{place}: expected an object")
    for member in item:
        if member not in _MEMBERS:
            hint = did_you_mean(member, _MEMBERS) or f"; expected {', '.join(_MEMBERS)}"
            raise ConfigError(f"{place}: unknown member '{member}'{hint}")
    name = item.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{place}.name: expected a name")
    return Key(
        name,
        _read_hash(f"{place}.hash", item.get("hash")),
        _read_scopes(f"{place}.scopes", item.get("scopes")),
        _read_quota(place, item, "requests_per_minute"),
        _read_quota(place, item, "tokens_per_minute"),
    )


def _read_hash(place: str, value: Any) -> bytes:
    try:
        digest = bytes.fromhex(value.removeprefix(_HASH))
        if len(digest) == 32 and value.startswith(_HASH):
            return digest
    except (AttributeError, ValueError):
        pass
    raise ConfigError(
        f"{place}: expected {_HASH} and 64 hexadecimal digits; `calcgraph keys add` writes them"
    )


def _read_scopes(place: str, value: Any) -> frozenset[Scope]:
    known = [scope.value for scope in Scope]
    if not isinstance(value, list) or not value or any(each not in known for each in value):
        raise ConfigError(f"{place}: expected a list of {', '.join(known)}")
    return frozenset(map(Scope, value))


def _read_quota(place: str, item: Mapping[str, Any], member: str) -> int | None:
    value = item.get(member)
    if value is None or (type(value) is int and value > 0):
        return value
    raise ConfigError(f"{place}.{member}: expected an integer above 0")


def _written(key: Key) -> Mapping[str, Any]:
    written = {
        "name": key.name,
        "hash": _HASH + key.digest.hex(),
        "scopes": sorted(scope.value for scope in key.scopes),
        "requests_per_minute": key.requests_per_minute,
        "tokens_per_minute": key.tokens_per_minute,
    }
    return {member: value for member, value in written.items() if value is not None}
