"""From a model.safetensors file to numpy arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from calcgraph.tools.errors import PreparationError

Array = NDArray[np.float32]

_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


def read_weights(path: Path) -> dict[str, Array]:
    """Every floating-point tensor of the file, as float32 in the file's shape.

    Integer tensors are left out: in an encoder they are buffers (`embeddings.position_ids`), not weights.
    """
    try:
        tensors = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise PreparationError(
            f"{path} is not a whole safetensors file ({error}): fetch it again"
        ) from error
    return {
        _modern_name(name): _floats(tensor["dtype"], tensor["data"]).reshape(tensor["shape"])
        for name, tensor in tensors
        if tensor["dtype"] == "BF16" or tensor["dtype"] in _FLOATS
    }


def _floats(dtype: str, data: bytearray) -> Array:
    # numpy has no bfloat16. It is the upper half of a float32.
    if dtype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, _FLOATS[dtype]).astype(np.float32, copy=False)


def _modern_name(name: str) -> str:
    # Checkpoints that began in TensorFlow, bert-base-uncased among them, keep its names.
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )
