"""The ways in which a model's files are published, and which files of a repository each of them needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Layout:
    """One way: the file that shows it, and the patterns of all its weights. Paths are relative, with slashes."""

    name: str
    sign: str
    weights: tuple[str, ...]


IR: Final = Layout("OpenVINO IR", "openvino_model.xml", ("openvino_*.xml", "openvino_*.bin"))
SAFETENSORS: Final = Layout("safetensors", "model.safetensors", ("model.safetensors",))
SHARDS: Final = Layout(
    "safetensors in parts", "model.safetensors.index.json", ("model-*-of-*.safetensors",)
)
TORCH: Final = Layout("PyTorch", "pytorch_model.bin", ("pytorch_model.bin",))
ONNX: Final = Layout("ONNX", "model.onnx", ("model.onnx", "model.onnx_data", "model.onnx.data"))
ONNX_FOLDER: Final = Layout(
    "ONNX", "onnx/model.onnx", ("onnx/model.onnx", "onnx/model.onnx_data", "onnx/model.onnx.data")
)
IR_FOLDER: Final = Layout(
    "OpenVINO IR", "openvino/openvino_model.xml", ("openvino/openvino_model.*",)
)

SERVED: Final = (IR, SAFETENSORS, ONNX_FOLDER, ONNX, IR_FOLDER, SHARDS, TORCH)
"""What `calcgraph pull` can begin with, best first."""
TRAINED: Final = (SAFETENSORS, SHARDS, TORCH)
"""What torch and transformers read: the weights as they were trained."""

# Settings, tokenizers and licences; small beside the weights. What sentence-transformers adds lies in folders
# that begin with a number, and a Dense module has weights there.
_SETTINGS: Final = (
    "*.json",
    "*.txt",
    "*.jinja",
    "*.model",
    "LICENSE*",
    "NOTICE*",
    "[0-9]_*/config.json",
    "[0-9]_*/model.safetensors",
    "[0-9]_*/pytorch_model.bin",
)


def settings_among(names: Iterable[str]) -> Sequence[str]:
    """Everything but the weights."""
    return [name for name in names if _matches(name, _SETTINGS)]


def weights_among(names: Iterable[str], layout: Layout) -> Sequence[str]:
    return [name for name in names if _matches(name, layout.weights)]


def layout_among(names: Iterable[str], accepted: Sequence[Layout]) -> Layout | None:
    """The first of the accepted layouts whose sign is there."""
    present = set(names)
    return next((layout for layout in accepted if layout.sign in present), None)


def names_in(folder: Path) -> Sequence[str]:
    """The files of a folder, as the paths that this module compares."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.relative_to(folder).as_posix() for path in paths]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    # The * of fnmatch crosses slashes; a pattern here speaks of one folder.
    return any(
        name.count("/") == pattern.count("/") and fnmatchcase(name, pattern) for pattern in patterns
    )
