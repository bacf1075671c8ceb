"""What a node counts or measures while it serves: numbers for whoever watches the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number now. The same name may come several times with different labels."""

    name: str
    """In Prometheus' manner, units at the end: `engine_inference_seconds`."""
    value: float
    help: str
    """One sentence for who reads the metrics."""
    total: bool = False
    """It only grows: a counter, and no gauge."""
    labels: Mapping[str, str] = field(default_factory=dict)
