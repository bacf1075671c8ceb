"""Files that calculators read through the graph, so that an application can put them elsewhere.

As in mediapipe/framework/resources.h: a calculator asks for the service RESOURCES in its contract, and
an application gives an object of its own with `CalculatorGraph(services={RESOURCES: ...})`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.services import default_service

RESOURCES: Final = "calcgraph.resources"


class Resources:
    """Files of a folder; by default that in which the process was started."""

    def __init__(self, base_path: Path = Path()) -> None:
        self.base_path = base_path

    def read(self, name: str) -> bytes:
        """The whole file. Raises NOT_FOUND naming the path."""
        path = self.base_path / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise status_error(Code.NOT_FOUND, f"there is no file {path}") from None


default_service(RESOURCES, Resources)
