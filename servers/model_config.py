"""Which models to serve: OVMS's config.json, or one model named on the command line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calcgraph.runtime.errors import Code, InvalidStatus
from calcgraph.runtime.naming import did_you_mean

log = logging.getLogger(__name__)

GRAPH_FILE: Final = "graph.pbtxt"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model to serve: its name to clients, its folder, its graph."""

    name: str
    base_path: Path
    graph_file: Path


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
    "batch_size",
    "shape",
    "layout",
    "mean",
    "scale",
    "color_format",
    "precision",
    "model_version_policy",
    "nireq",
    "target_device",
    "plugin_config",
    "stateful",
    "idle_sequence_cleanup",
    "low_latency_transformation",
    "max_sequence_number",
    "allow_cache",
    "custom_loader_options",
)
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
    if config.get("monitoring"):
        log.warning("%s: monitoring has no effect", file)
    if "model_config_list" not in config and "mediapipe_config_list" not in config:
        raise place.error('expected "model_config_list", a list of the models to serve')
    entries = [_entry(place, found, config) for place, found in _model_objects(place, config)]
    _refuse_duplicates(place, entries)
    if not entries:
        raise place.error("names no model to serve")
    return entries


def single_model(name: str, base_path: Path) -> ModelEntry:
    """The model of `--model_name` and `--model_path`."""
    return _with_graph(ModelEntry(name, base_path, base_path / GRAPH_FILE), f"model '{name}'")


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
    for key in _PLAIN_MODEL_KEYS:
        if key in found:
            log.warning(
                "%s: %s has no effect on a graph: %s says it",
                place.file,
                place.at(key).key,
                graph_file,
            )
    return _with_graph(
        ModelEntry(name, base_path, graph_file), f"{place.file}: {place.key}: model '{name}'"
    )


def _with_graph(entry: ModelEntry, where: str) -> ModelEntry:
    """The entry, if its graph file exists; otherwise says what was found in its place."""
    if entry.graph_file.is_file():
        return entry
    if not entry.base_path.is_dir():
        raise ConfigError(f"{where}: its folder {entry.base_path} does not exist")
    plain = next(_plain_models(entry.base_path), None)
    if plain is not None:
        raise ConfigError(
            f"{where}: no {entry.graph_file}, but a plain model, {plain}: models without a graph are "
            "not served yet"
        )
    raise ConfigError(f"{where}: expected its graph in {entry.graph_file}; there is no such file")


def _plain_models(folder: Path) -> Iterator[Path]:
    """Model files as OVMS finds them: in a numbered version folder, or loose in the folder itself."""
    for pattern in ("[0-9]*/*.xml", "[0-9]*/*.onnx", "*.xml", "*.onnx"):
        yield from sorted(folder.glob(pattern))


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
