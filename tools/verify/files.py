"""What can be seen in a model's folder without running it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import openvino as ov

from calcgraph.calculators.engine.model import MODEL_FILE
from calcgraph.calculators.tokenization.model_files import read_json

_FLOATS = ("f32", "f16", "bf16")


def input_names(folder: Path) -> Collection[str]:
    """The inputs of openvino_model.xml."""
    return {port.get_any_name() for port in ov.Core().read_model(folder / MODEL_FILE).inputs}


def declares_token_types(folder: Path) -> bool:
    """Whether the model was trained with more than one type of token, as its config.json says."""
    return int(read_json(folder / "config.json").get("type_vocab_size") or 1) > 1


def not_finite(folder: Path) -> str | None:
    """The name of a weight with a NaN or an infinity in it."""
    path = folder / MODEL_FILE
    if not path.is_file():
        return None
    for node in ov.Core().read_model(path).get_ordered_ops():
        if node.get_type_name() == "Constant" and node.get_element_type().to_string() in _FLOATS:
            if node.get_element_type() == ov.Type.bf16:
                continue  # numpy has no bfloat16
            if not np.isfinite(node.get_data()).all():
                return str(node.get_friendly_name())
    return None
