"""Which input the options of a handler mean: `TAG`, `TAG:index`, `:index` or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calcgraph.runtime.plan import Port


def port_id(ports: Sequence[Port], spec: str) -> int:
    """The place of an input among `ports`. Raises ValueError when it is not there."""
    tag, _, index = spec.partition(":")
    for id, port in enumerate(ports):
        if port.tag == tag and str(port.index) == (index or "0"):
            return id
    there = ", ".join(f"{port.tag}:{port.index}" for port in ports)
    raise ValueError(f'the node has no input "{spec}"; it has {there}')
