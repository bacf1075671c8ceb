"""Which models to serve: OVMS's config.json, or one model named on the command line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from calcgraph.runtime.errors import Code, InvalidStatus
from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers.json_lines import line_of
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
    lazy: bool = False
    """Loaded by the first request."""
    keep_alive_s: float = 0.0
    """Leaves the memory after so long without a request; 0 is never."""
    subconfig: Path | None = field(default=None, compare=False)
    """Where more models may be named, for the graph to use."""
    problem: ConfigError | None = field(default=None, compare=False)
    """Why it cannot be served, though the configuration can be read."""


class ConfigError(InvalidStatus):
    """Whoever wrote the configuration can mend this; the message names the file and the key."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.INVALID_ARGUMENT, message)


@dataclass(frozen=True, slots=True)
class _Place:
    """A value in a configuration file, for messages."""

    file: Path
    text: str = ""
    path: tuple[str | int, ...] = ()

    @property
    def key(self) -> str:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(steps).removeprefix(".")

    def at(self, key: str | int) -> _Place:
        return replace(self, path=(*self.path, key))

    def error(self, message: str, *, key: str | None = None) -> ConfigError:
        """`key` is the one among the value's own that is wrong."""
        line = line_of(self.text, self.path if key is None else (*self.path, key))
        place = f"{self.file}:{line}:"
        return ConfigError(f"{place} {self.key}: {message}" if self.path else f"{place} {message}")


# What OVMS knows in each object. Only the first group of a model's keys means something for a graph.
_TOP_KEYS: Final = (
    "model_config_list",
    "mediapipe_config_list",
    "pipeline_config_list",
    "custom_node_library_config_list",
    "custom_loader_config_list",
    "monitoring",
    "idle_unload_timeout_seconds",
)
_RESIDENCE_KEYS: Final = ("lazy_load", "keep_alive", "group_name")
_GRAPH_KEYS: Final = ("name", "base_path", "graph_path", "subconfig", *_RESIDENCE_KEYS)
_SUBCONFIG_KEYS: Final = ("model_config_list",)
_PERMANENT: Final = "permanent"
"""OVMS's group of the models that are never unloaded."""
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


@dataclass(frozen=True, slots=True)
class Residence:
    """When a model is in memory, unless its own keys say otherwise."""

    lazy: bool = False
    keep_alive_s: float = 0.0


def read_config(file: Path, residence: Residence = Residence()) -> Sequence[ModelEntry]:
    """The models of a config.json, or of the folder it lies in, and of the subconfig.json of their graphs.

    Raises ConfigError, which names the line and the key that is wrong. A model whose folder is not what the
    configuration says is not its mistake: such an entry has a `problem`.
    """
    file = config_file(file)
    place, config = _read_object(file, _TOP_KEYS)
    for key in _NOT_SERVED:
        if config.get(key):
            raise place.at(key).error(
                "OVMS's pipelines are not served; write the pipeline as a graph"
            )
    if "model_config_list" not in config and "mediapipe_config_list" not in config:
        raise place.error('expected "model_config_list", a list of the models to serve')
    residence = replace(residence, keep_alive_s=_keep_alive(place, config, residence))
    entries = [_entry(each, found, residence) for each, found in _model_objects(place, config)]
    _refuse_duplicates(place, entries)
    for entry in list(entries):
        entries += _used_by(entry, entries, residence)
    if not entries:
        log.warning("%s: names no model to serve", file)
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


def config_file(path: Path) -> Path:
    """The file that --config_path means, which may be the folder it lies in."""
    return path / "config.json" if path.is_dir() else path


def _keep_alive(place: _Place, config: Mapping[str, Any], residence: Residence) -> float:
    return _number(place, config, "idle_unload_timeout_seconds", residence.keep_alive_s)


def _used_by(
    entry: ModelEntry, known: Sequence[ModelEntry], residence: Residence
) -> Iterator[ModelEntry]:
    """The models that a graph's subconfig.json names, without those that are known."""
    if entry.subconfig is None or not entry.subconfig.is_file():
        return
    place, config = _read_object(entry.subconfig, _SUBCONFIG_KEYS)
    for each, found in _model_objects(place, config):
        used = _entry(each, found, residence)
        twins = [other for other in known if other.name == used.name]
        if not twins:
            yield used
        elif any(other.base_path.resolve() != used.base_path.resolve() for other in twins):
            raise each.at("name").error(f"another model is named '{used.name}'")


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


def _entry(place: _Place, found: Mapping[str, Any], residence: Residence) -> ModelEntry:
    name = _string(place, found, "name")
    if not name:
        raise place.at("name").error("expected the name that clients ask for")
    if ".." in name.split("/"):
        raise place.at("name").error(f"expected a name without '..', found {_shown(name)}")
    base_path = place.file.parent / _local(place, found, "base_path", name)
    graph_file = base_path / _local(place, found, "graph_path", GRAPH_FILE)
    entry = ModelEntry(
        name,
        base_path,
        graph_file,
        lazy=_flag(place, found, "lazy_load", residence.lazy),
        keep_alive_s=_kept_alive(place, found, residence),
        subconfig=_subconfig(place, found, base_path),
    )
    try:
        has_graph = _has_graph(entry, f"model '{name}'")
    except ConfigError as error:
        return replace(entry, problem=place.error(str(error)))
    if not has_graph:
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


def _kept_alive(place: _Place, found: Mapping[str, Any], residence: Residence) -> float:
    group = _string(place, found, "group_name", "")
    if group == _PERMANENT:
        return 0.0
    if group:
        log.warning("%s: %s has no effect", place.file, place.at("group_name").key)
    return _number(place, found, "keep_alive", residence.keep_alive_s)


def _subconfig(place: _Place, found: Mapping[str, Any], base_path: Path) -> Path:
    file = base_path / _local(place, found, "subconfig", "subconfig.json")
    if "subconfig" in found and not file.is_file():
        raise place.at("subconfig").error(f"there is no file {file}")
    return file


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


def _read_object(file: Path, keys: Sequence[str]) -> tuple[_Place, Mapping[str, Any]]:
    text = _read_text(file)
    place = _Place(file, text)
    return place, _object(place, _parsed(file, text), keys)


def _read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None


def _parsed(file: Path, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_twins)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None


def _without_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f'the key "{key}" stands twice in one object')
    return dict(pairs)


def _object(place: _Place, value: Any, keys: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise place.error(f"expected an object, found {_shown(value)}")
    for key in value:
        if key not in keys:
            hint = did_you_mean(key, keys) or f"; expected {_listed(keys)}"
            raise place.error(f'unknown key "{key}"{hint}', key=key)
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


def _flag(place: _Place, found: Mapping[str, Any], key: str, default: bool) -> bool:
    value = found.get(key, default)
    if not isinstance(value, bool):
        raise place.at(key).error(f"expected true or false, found {_shown(value)}")
    return value


def _number(place: _Place, found: Mapping[str, Any], key: str, default: float) -> float:
    value = found.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise place.at(key).error(f"expected seconds, 0 or more, found {_shown(value)}")
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
