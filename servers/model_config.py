"""Which models to serve: OVMS's config.json, or one model named on the command line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from calcgraph.runtime.errors import Code, InvalidStatus
from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers.plain_models import (
    KEYS,
    PlainModel,
    SettingError,
    has_plain_model,
    plain_model,
)

log = logging.getLogger(__name__)

GRAPH_FILE: Final = "graph.pbtxt"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model to serve: its name to clients, its folder, its graph."""

    name: str
    base_path: Path
    graph_file: Path
    plain: PlainModel | None = None
    """How to serve it without a graph file: there is none, but OpenVINO's own files."""


class ConfigError(InvalidStatus):
    """Whoever wrote the configuration can mend this; the message names the file and the key."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.INVALID_ARGUMENT, message)


@dataclass(frozen=True, slots=True)
class _Place:
    """A key in a configuration file, for messages."""

    file: Path
    key: str = ""

    def at(self, key: str | int) -> _Place:
        if isinstance(key, int):
            return _Place(self.file, f"{self.key}[{key}]")
        return _Place(self.file, f"{self.key}.{key}" if self.key else key)

    def error(self, message: str) -> ConfigError:
        return ConfigError(
            f"{self.file}: {self.key}: {message}" if self.key else f"{self.file}: {message}"
        )


# What OVMS knows in each object. Only the first group of a model's keys means something for a graph.
_TOP_KEYS: Final = (
    "model_config_list",
    "mediapipe_config_list",
    "pipeline_config_list",
    "custom_node_library_config_list",
    "custom_loader_config_list",
    "monitoring",
)
_GRAPH_KEYS: Final = ("name", "base_path", "graph_path", "subconfig")
_PLAIN_MODEL_KEYS: Final = (
    *KEYS,
    "mean",
    "scale",
    "color_format",
    "precision",
    "stateful",
    "idle_sequence_cleanup",
    "low_latency_transformation",
    "max_sequence_number",
    "allow_cache",
    "custom_loader_options",
)
_HARMLESS: Final = ("allow_cache", "idle_sequence_cleanup", "max_sequence_number")
"""Keys of a plain model that may be left aside; the model computes the same without them."""
_NOT_SERVED: Final = (
    "pipeline_config_list",
    "custom_node_library_config_list",
    "custom_loader_config_list",
)


def read_config(file: Path) -> Sequence[ModelEntry]:
    """The models of a config.json, or of the folder it lies in. Raises ConfigError, which names the key that is wrong."""
    if file.is_dir():
        file = file / "config.json"
    place = _Place(file)
    config = _object(place, _read_json(file), _TOP_KEYS)
    for key in _NOT_SERVED:
        if config.get(key):
            raise place.at(key).error(
                "OVMS's pipelines are not served; write the pipeline as a graph"
            )
    if "model_config_list" not in config and "mediapipe_config_list" not in config:
        raise place.error('expected "model_config_list", a list of the models to serve')
    entries = [_entry(place, found, config) for place, found in _model_objects(place, config)]
    _refuse_duplicates(place, entries)
    if not entries:
        raise place.error("names no model to serve")
    return entries


def single_model(name: str, base_path: Path, settings: Mapping[str, Any]) -> ModelEntry:
    """The model of `--model_name` and `--model_path`, with the flags that say how to serve it."""
    entry = ModelEntry(name, base_path, base_path / GRAPH_FILE)
    if _has_graph(entry, f"model '{name}'"):
        for key in settings:
            raise ConfigError(f"--{key} is for a model without a graph; {entry.graph_file} says it")
        return entry
    try:
        return replace(entry, plain=plain_model(settings))
    except SettingError as error:
        raise ConfigError(f"--{error.key}: {error}") from None


def _model_objects(
    top: _Place, config: Mapping[str, Any]
) -> Iterator[tuple[_Place, Mapping[str, Any]]]:
    for i, item in enumerate(_list(top, config, "model_config_list")):
        place = top.at("model_config_list").at(i)
        wrapper = _object(place, item, ("config",))
        if "config" not in wrapper:
            raise place.error('expected {"config": {"name": ..., "base_path": ...}}')
        place = place.at("config")
        yield place, _object(place, wrapper["config"], _GRAPH_KEYS + _PLAIN_MODEL_KEYS)
    for i, item in enumerate(_list(top, config, "mediapipe_config_list")):
        place = top.at("mediapipe_config_list").at(i)
        yield place, _object(place, item, _GRAPH_KEYS)


def _entry(place: _Place, found: Mapping[str, Any], config: Mapping[str, Any]) -> ModelEntry:
    name = _string(place, found, "name")
    if not name:
        raise place.at("name").error("expected the name that clients ask for")
    base_path = place.file.parent / _local(place, found, "base_path", name)
    graph_file = base_path / _local(place, found, "graph_path", GRAPH_FILE)
    entry = ModelEntry(name, base_path, graph_file)
    if not _has_graph(entry, f"{place.file}: {place.key}: model '{name}'"):
        return replace(entry, plain=_plain_model(place, found))
    for key in _PLAIN_MODEL_KEYS:
        if key in found:
            log.warning(
                "%s: %s has no effect on a graph: %s says it",
                place.file,
                place.at(key).key,
                graph_file,
            )
    return entry


def _plain_model(place: _Place, found: Mapping[str, Any]) -> PlainModel:
    for key in set(_PLAIN_MODEL_KEYS).difference(KEYS).intersection(found):
        if key in _HARMLESS or found[key] in (False, None):
            log.warning("%s: %s has no effect", place.file, place.at(key).key)
        else:
            raise place.at(key).error("OVMS's, and not supported: models are served as they are")
    try:
        return plain_model({key: found[key] for key in KEYS if key in found})
    except SettingError as error:
        raise place.at(error.key).error(str(error)) from None


def _has_graph(entry: ModelEntry, where: str) -> bool:
    """Whether its graph file exists; False if it can be served without. Else says what was found instead."""
    if entry.graph_file.is_file():
        return True
    if not entry.base_path.is_dir():
        raise ConfigError(f"{where}: its folder {entry.base_path} does not exist")
    if not has_plain_model(entry.base_path):
        raise ConfigError(
            f"{where}: expected its graph in {entry.graph_file}, or folders named 1, 2, ... with an "
            f"OpenVINO model in each; {entry.base_path} has neither"
        )
    return False


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None


def _object(place: _Place, value: Any, keys: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise place.error(f"expected an object, found {_shown(value)}")
    for key in value:
        if key not in keys:
            hint = did_you_mean(key, keys) or f"; expected {_listed(keys)}"
            raise place.error(f'unknown key "{key}"{hint}')
    return value


def _list(place: _Place, config: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = config.get(key, [])
    if not isinstance(value, list):
        raise place.at(key).error(f"expected a list, found {_shown(value)}")
    return value


def _string(place: _Place, found: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = found.get(key, default)
    if value is None:
        raise place.error(f'expected the key "{key}", found {_listed(found) or "an empty object"}')
    if not isinstance(value, str):
        raise place.at(key).error(f"expected a string, found {_shown(value)}")
    return value


def _local(place: _Place, found: Mapping[str, Any], key: str, default: str) -> str:
    path = _string(place, found, key, default)
    if "://" in path:
        raise place.at(key).error(f"expected a local path, found {path}")
    return path


def _refuse_duplicates(place: _Place, entries: Sequence[ModelEntry]) -> None:
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise place.error(f"two models are named '{name}'")


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)
