"""What the server says of itself."""

from importlib.metadata import version
from typing import Final

NAME: Final = "calcgraph"
VERSION: Final = version("calcgraph")
EXTENSIONS: Final = ("binary_tensor_data",)
"""The extensions of the Open Inference Protocol that are served."""
