"""Models without a graph: a folder of numbered versions, each one OpenVINO model, and how to serve it.

A version is served by a graph of one node, which is written here; so a servable is always a graph.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from google.protobuf import text_format

from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.openvino_model_pb2 import OpenVINOModelOptions
from calcgraph.proto.pool import POOL

_MODEL_FILES: Final = ("*.xml", "*.onnx", "*.pb", "*.tflite", "*.pdmodel")
_LOOSE_VERSION: Final = 1
"""That of a model whose files lie in its folder itself."""

ByPort = Mapping[str, str]
"""By the name of an input or output; "" is a model's only input."""


@dataclass(frozen=True, slots=True)
class VersionPolicy:
    """Which of the versions in the folder are served: the newest ones, or those named."""

    newest: int | None = 1
    """How many; None is all."""
    named: Sequence[int] = ()

    def choose(self, numbers: Sequence[int]) -> Sequence[int]:
        """From ascending numbers. Raises ValueError for a named version that is not there."""
        for number in self.named:
            if number not in numbers:
                raise ValueError(
                    f"model_version_policy names version {number}; "
                    f"there are {', '.join(map(str, numbers))}"
                )
        if self.named:
            return [number for number in numbers if number in self.named]
        return numbers if self.newest is None else numbers[-self.newest :]


@dataclass(frozen=True, slots=True)
class PlainModel:
    """How a model without a graph is served; each field is a key of config.json and a flag."""

    target_device: str = "CPU"
    plugin_config: Mapping[str, Any] = field(default_factory=dict)
    nireq: int = 0
    """Inferences that run at a time; 0 is what the device does best."""
    batch_size: str = ""
    shape: ByPort = field(default_factory=dict)
    layout: ByPort = field(default_factory=dict)
    model_version_policy: VersionPolicy = VersionPolicy()


class SettingError(ValueError):
    """A value of one key makes no sense."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


KEYS: Final = tuple(each.name for each in fields(PlainModel))


def plain_model(given: Mapping[str, Any]) -> PlainModel:
    """From the keys of config.json, or the flags of the same names. Raises SettingError."""
    settings: dict[str, Any] = {}
    for key, value in given.items():
        try:
            settings[key] = _READ[key](value)
        except ValueError as error:
            raise SettingError(key, str(error)) from None
    return PlainModel(**settings)


def has_plain_model(folder: Path) -> bool:
    """Whether there is a version that OpenVINO might read."""
    return bool(version_folders(folder))


def version_folders(folder: Path) -> Mapping[int, Path]:
    """The versions in a model's folder, ascending: numbered folders, else the folder itself is one."""
    numbered = {
        int(each.name): each
        for each in _folders(folder)
        if each.name.isascii() and each.name.isdecimal()
    }
    found = {n: numbered[n] for n in sorted(numbered) if n > 0 and _holds_model(numbered[n])}
    return found or ({_LOOSE_VERSION: folder} if _holds_model(folder) else {})


def served_versions(folder: Path, plain: PlainModel) -> Mapping[int, Path]:
    """Those that the policy chooses. Raises ValueError when there is none, or not one that it names."""
    found = version_folders(folder)
    if not found:
        raise ValueError(
            f"no version in {folder}: expected folders named 1, 2, ... with a model "
            f"({', '.join(_MODEL_FILES)}) in each"
        )
    chosen = plain.model_version_policy.choose(list(found))
    return {number: found[number] for number in chosen}


def graph_text(plain: PlainModel) -> str:
    """The graph that serves one version, whose folder its paths start from."""
    options = OpenVINOModelOptions(
        target_device=plain.target_device,
        plugin_config=json.dumps(dict(plain.plugin_config)),
        batch_size=plain.batch_size,
        shape=plain.shape,
        layout=plain.layout,
    )
    if plain.nireq:
        options.nireq = plain.nireq
    graph = CalculatorGraphConfig(
        input_stream=["REQUEST:request"], output_stream=["RESPONSE:response"]
    )
    node = graph.node.add(
        name="model",
        calculator="OpenVINOModel",
        input_stream=["REQUEST:request"],
        output_stream=["RESPONSE:response"],
    )
    node.node_options.add().Pack(options)
    return text_format.MessageToString(graph, descriptor_pool=POOL)


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (each for each in folder.iterdir() if each.is_dir())


def _holds_model(folder: Path) -> bool:
    return any(True for pattern in _MODEL_FILES for _ in folder.glob(pattern))


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a string, found {json.dumps(value)}")
    return value.strip()


def _count(value: Any) -> int:
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if type(number) is not int or number < 0:
        raise ValueError(f"expected a number of 0 or more, found {json.dumps(value)}")
    return number


def _batch(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(
            f'expected a number, "auto" or a range like "1:8", found {json.dumps(value)}'
        )
    text = str(value).strip()
    return "" if text == "0" else text  # OVMS's way to say: as in the model


def _object(value: Any, example: str) -> Mapping[str, Any]:
    """An object, or a text that holds one, as flags do."""
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"expected JSON like {example}: {error.msg} in {value!r}") from None
    if not isinstance(found, dict):
        raise ValueError(f"expected an object like {example}, found {json.dumps(value)}")
    return found


def _by_port(example: str) -> Callable[[Any], ByPort]:
    def read(value: Any) -> ByPort:
        if isinstance(value, str) and not value.strip().startswith("{"):
            return {"": _word(value)}
        return {name: _word(each) for name, each in _object(value, example).items()}

    return read


def _properties(value: Any) -> Mapping[str, Any]:
    return _object(value, '{"NUM_STREAMS": "2"}')


_POLICIES: Final = (
    '{"latest": {"num_versions": 2}}, {"all": {}} or {"specific": {"versions": [1, 3]}}'
)


def _policy(value: Any) -> VersionPolicy:
    match _object(value, _POLICIES):
        case {"all": {**none}, **more} if not none and not more:
            return VersionPolicy(newest=None)
        case {"latest": {"num_versions": int(newest), **more}, **others} if (
            newest > 0 and not more and not others
        ):
            return VersionPolicy(newest)
        case {"latest": {**none}, **others} if not none and not others:
            return VersionPolicy()
        case {"specific": {"versions": [*named], **more}, **others} if (
            named
            and all(type(each) is int and each > 0 for each in named)
            and not more
            and not others
        ):
            return VersionPolicy(named=tuple(named))
    raise ValueError(f"expected one of {_POLICIES}; found {json.dumps(value)}")


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "target_device": _word,
    "plugin_config": _properties,
    "nireq": _count,
    "batch_size": _batch,
    "shape": _by_port('{"input": "(1,3,-1,-1)"}'),
    "layout": _by_port('{"input": "NHWC:NCHW"}'),
    "model_version_policy": _policy,
}
