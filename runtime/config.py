"""From a graph.pbtxt to a CalculatorGraphConfig that still knows the line of everything in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError, Message

from calcgraph.proto import graph_pb2
from calcgraph.runtime.binding import Path as FieldPath
from calcgraph.runtime.binding import bind
from calcgraph.runtime.errors import Code, GraphError, Location, Problem
from calcgraph.runtime.options import lift_block
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.textproto import Document, Source, read

_TEMPLATE_FIELDS: Final = frozenset({"config", "rule"})
_DIRECTIVE: Final = re.compile(r"([A-Z][A-Z0-9_]*)\s*:\s*(.*?)\s*")


@dataclass(frozen=True)
class GraphConfig:
    """One graph as its author wrote it: not validated, its option blocks not decoded."""

    proto: graph_pb2.CalculatorGraphConfig
    file: str = "<graph>"
    locations: Mapping[FieldPath, Location] = field(default_factory=dict)
    directives: Mapping[str, str] = field(default_factory=dict)
    """`# NAME: value` comments, for example OVMS_GRAPH_QUEUE_MAX_SIZE."""

    def location(self, *path: str | int) -> Location:
        """Where a field stands, or the nearest thing around it: location("node", 0, "name")."""
        for length in range(len(path), 0, -1):
            if found := self.locations.get(path[:length]):
                return found
        return Location(self.file)

    @classmethod
    def from_proto(cls, message: Message, file: str = "<graph>") -> GraphConfig:
        """A config message, of our class or of mediapipe's own package."""
        if isinstance(message, graph_pb2.CalculatorGraphConfig):
            copy = graph_pb2.CalculatorGraphConfig()
            copy.CopyFrom(message)
            return cls(copy, file)
        name = message.DESCRIPTOR.full_name
        if name != graph_pb2.CalculatorGraphConfig.DESCRIPTOR.full_name:
            raise _error(file, f"found a {name}, expected a mediapipe.CalculatorGraphConfig")
        return cls.from_binary(message.SerializeToString(), file)

    @classmethod
    def from_binary(cls, data: bytes, file: str = "<graph>") -> GraphConfig:
        """A serialized config (a .binarypb file). Raises GraphError for anything else."""
        try:
            return cls(graph_pb2.CalculatorGraphConfig.FromString(data), file)
        except DecodeError:
            raise _error(file, "this is no serialized CalculatorGraphConfig") from None

    @classmethod
    def from_file(cls, path: Path) -> GraphConfig:
        """A text graph, or a binary one if its name ends in .binarypb or .pb.

        Raises FileNotFoundError, and GraphError for what is in the file.
        """
        if path.suffix in (".binarypb", ".pb"):
            return cls.from_binary(path.read_bytes(), str(path))
        try:
            return read_graph(path.read_text("utf-8"), str(path))
        except UnicodeDecodeError as error:
            raise _error(str(path), f"this is no UTF-8 text: {error}") from None


def read_graph(text: str, file: str = "<graph>") -> GraphConfig:
    """Read a graph in text format.

    Raises GraphError with every mistake: a misspelt field, a value of the wrong kind, a missing bracket.
    Options of calculators are not looked into; that takes the calculator.
    """
    document = read(Source(text, file))
    problems = Problems()
    proto = graph_pb2.CalculatorGraphConfig()
    locations: dict[FieldPath, Location] = {}
    _refuse_template(document, problems)
    bind(proto, document.root, document.source, problems, on_block=lift_block, locations=locations)
    problems.raise_if_any()
    return GraphConfig(proto, file, locations, _directives(document))


def _refuse_template(document: Document, problems: Problems) -> None:
    """A compiled graph template is another message, CalculatorGraphTemplate. Raises what was found."""
    for field_ in document.root.fields:
        if field_.name in _TEMPLATE_FIELDS:
            problems.add(
                document.source.location(field_.start),
                f"not supported: '{field_.name}' of a CalculatorGraphTemplate; write the graph out",
                Code.UNIMPLEMENTED,
            )
    problems.raise_if_any()


def as_graph_config(config: GraphConfig | Message | str, file: str = "<graph>") -> GraphConfig:
    """Whatever form a graph is given in: text, message, or already read."""
    if isinstance(config, str):
        return read_graph(config, file)
    return config if isinstance(config, GraphConfig) else GraphConfig.from_proto(config, file)


def _directives(document: Document) -> dict[str, str]:
    matches = (_DIRECTIVE.fullmatch(text) for text, _ in document.comments)
    return {match[1]: match[2] for match in matches if match}


def _error(file: str, message: str) -> GraphError:
    return GraphError([Problem(Location(file), message)])
