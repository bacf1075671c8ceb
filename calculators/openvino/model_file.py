"""A folder or a file as OpenVINO reads it: IR, ONNX, TensorFlow, TensorFlow Lite or PaddlePaddle."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import openvino as ov

from calcgraph.calculators.engine.model import last_line

_SUFFIXES: Final = (".xml", ".onnx", ".tflite", ".pb", ".pdmodel")
_SAVED_MODEL: Final = "saved_model.pb"
_TOKENIZERS: Final = ("openvino_tokenizer.xml", "openvino_detokenizer.xml")


def model_file(path: Path) -> Path:
    """The one model in a folder; of TensorFlow's saved model the folder itself.

    Raises ValueError when there is none, or more than one.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise ValueError(f"there is no model {path}")
    if (path / _SAVED_MODEL).is_file():
        return path
    found = [
        file
        for file in sorted(path.iterdir())
        if file.suffix in _SUFFIXES and file.name not in _TOKENIZERS
    ]
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise ValueError(
            f"expected one model in {path} ({', '.join(_SUFFIXES)} or {_SAVED_MODEL}), found {names}"
        )
    return found[0]


def read_model(core: ov.Core, path: Path) -> ov.Model:
    """Raises ValueError that names the file and what OpenVINO says of it."""
    file = model_file(path)
    weights = file.with_suffix(".bin")
    if file.suffix == ".xml" and not weights.is_file():
        raise ValueError(f"cannot read the model {file}: its weights {weights.name} are missing")
    try:
        model = core.read_model(file)
    except RuntimeError as error:
        raise ValueError(f"cannot read the model {file}: {last_line(error)}") from error
    for port in (*model.inputs, *model.outputs):
        if not port.get_names():
            port.get_tensor().set_names({port.get_node().get_friendly_name()})
    return model


def files_of(path: Path) -> list[Path]:
    """The files that the model is made of, for its fingerprint."""
    file = model_file(path)
    if file.is_dir():
        return sorted(each for each in file.rglob("*") if each.is_file())
    return [file, *sorted(file.parent.glob(f"{file.stem}.bin"))]
