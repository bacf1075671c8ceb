"""MediaPipe's ValidatedGraphConfig: a graph checked and brought into canonical form, not run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from calcgraph.runtime.canonical import config_text
from calcgraph.runtime.config import GraphConfig, as_graph_config
from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.plan import GraphPlan, SidePacketPlan, StreamPlan
from calcgraph.runtime.registry import REGISTRY, Registry
from calcgraph.runtime.validation import plan_graph


class ValidatedGraphConfig:
    """The class of MediaPipe's Python binding, `plan` added."""

    def __init__(self) -> None:
        self._plan: GraphPlan | None = None

    def initialize(
        self,
        *,
        graph_config: GraphConfig | Message | str | None = None,
        binary_graph_path: str | None = None,
        registry: Registry = REGISTRY,
        subgraphs: Iterable[GraphConfig | Message | str] = (),
    ) -> None:
        """Validate one graph: a config (message or text), or the path of a binary one.

        Raises GraphError with every mistake, FileNotFoundError without the file, and
        FAILED_PRECONDITION the second time.
        """
        if self._plan is not None:
            raise status_error(
                Code.FAILED_PRECONDITION, "ValidatedGraphConfig can be initialized only once."
            )
        config = one_config(graph_config, binary_graph_path)
        self._plan = plan_graph(config, registry=registry, subgraphs=subgraphs)

    def initialized(self) -> bool:
        return self._plan is not None

    @property
    def plan(self) -> GraphPlan:
        """What a CalculatorGraph runs. Raises FAILED_PRECONDITION before `initialize`."""
        if self._plan is None:
            raise status_error(Code.FAILED_PRECONDITION, "ValidatedGraphConfig is not initialized.")
        return self._plan

    @property
    def text_config(self) -> str:
        """The canonical config in text format."""
        return config_text(self.plan.config)

    @property
    def binary_config(self) -> bytes:
        """The canonical config, serialized."""
        return self.plan.config.SerializeToString()

    def registered_stream_type_name(self, stream_name: str) -> str:
        """The type of a stream's packets. ValueError: no such stream; RuntimeError: any type."""
        return _type_name("stream", stream_name, self.plan.streams)

    def registered_side_packet_type_name(self, side_packet_name: str) -> str:
        """The type of a side packet, likewise."""
        return _type_name("side packet", side_packet_name, self.plan.side_packets)


def one_config(
    graph_config: GraphConfig | Message | str | None, binary_graph_path: str | None
) -> GraphConfig:
    """The one config of the two ways to give it. Raises INVALID_ARGUMENT for both or none."""
    if graph_config is not None and binary_graph_path is None:
        return as_graph_config(graph_config)
    if binary_graph_path is not None and graph_config is None:
        path = Path(binary_graph_path)
        return GraphConfig.from_binary(path.read_bytes(), str(path))
    raise status_error(
        Code.INVALID_ARGUMENT, "Please provide either 'binary_graph_path' or 'graph_config'."
    )


def _type_name(
    kind: str, name: str, plans: Mapping[str, StreamPlan] | Mapping[str, SidePacketPlan]
) -> str:
    plan = plans.get(name)
    if plan is None:
        raise status_error(
            Code.INVALID_ARGUMENT, f'{kind.capitalize()} "{name}" is not defined in the config.'
        )
    types: Any = plan.type
    if not isinstance(types, type):
        raise status_error(
            Code.UNKNOWN,
            f'Unable to find the type for {kind} "{name}".  It may be any type, or one of several.',
        )
    return (
        types.__qualname__
        if types.__module__ == "builtins"
        else f"{types.__module__}.{types.__qualname__}"
    )
