"""What the server says of itself."""

from importlib.metadata import version
from typing import Final

NAME: Final = "calcgraph"
VERSION: Final = version("calcgraph")
_EXTENSIONS: Final = ("binary_tensor_data", "model_stream_infer")


def extensions(model_control: bool) -> tuple[str, ...]:
    """The extensions of the Open Inference Protocol that are served."""
    return (*_EXTENSIONS, "model_repository") if model_control else _EXTENSIONS
