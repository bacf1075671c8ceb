"""A graph to look at: its nodes and what flows between them, as text or as a Mermaid diagram.

Drawn from the config alone, so that a graph of calculators nobody has installed can be looked at too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import GraphError, Location, Problem, StatusError
from calcgraph.runtime.graph_node import Enclosing, GraphNode, nodes_of, numbered
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.registry import REGISTRY, Registry
from calcgraph.runtime.subgraph import expand, with_subgraphs
from calcgraph.runtime.tags import TagMap


class Kind(Enum):
    """What an arrow carries."""

    STREAM = "stream"
    SIDE_PACKET = "side packet"
    BACK_EDGE = "back edge"


@dataclass(frozen=True, slots=True)
class Box:
    """A node, a folded subgraph, or a stream's end outside of the graph."""

    id: str
    label: str
    calculator: str
    """"" for an input or output of the graph."""
    inside: tuple[Enclosing, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """One stream or side packet on its way from a box to another."""

    start: str
    end: str
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Diagram:
    """What there is to draw; boxes are in the order of the graph."""

    title: str
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


def diagram(
    config: GraphConfig,
    *,
    registry: Registry = REGISTRY,
    subgraphs: Iterable[GraphConfig] = (),
    fold: Collection[str] | bool = (),
) -> Diagram:
    """The boxes and arrows of a graph.

    `fold` makes one box of each subgraph, of all of them or of those whose node or type is named.
    Raises GraphError only for ports that cannot be read; what else is wrong does not hinder a drawing.
    """
    nodes = nodes_of(config)
    if fold is not True:
        ignored = Problems()
        local = with_subgraphs(registry, subgraphs, ignored)
        found = expand(nodes, local, ignored, missing=ignored, services={}, base_path=Path())
        nodes = [node for node, _ in found]
    names = numbered(node.raw_name for node in nodes)
    drawing = _Drawing(config)
    for node, name in zip(nodes, names, strict=True):
        drawing.add(node, name)
    drawn = drawing.finish(config.file)
    return drawn if isinstance(fold, bool) else _folded(drawn, fold)


def _folded(drawing: Diagram, names: Collection[str]) -> Diagram:
    boxes: dict[str, Box] = {}
    now: dict[str, str] = {}
    for box in drawing.boxes:
        depth = next(
            (
                d
                for d, each in enumerate(box.inside)
                if each.name in names or each.calculator in names
            ),
            None,
        )
        if depth is not None:
            frame = box.inside[depth]
            identifier = "f_" + re.sub(r"\W", "_", frame.name)
            kept = Box(identifier, frame.name, frame.calculator, box.inside[:depth])
        else:
            kept = box
        now[box.id] = kept.id
        boxes.setdefault(kept.id, kept)
    arrows = (replace(each, start=now[each.start], end=now[each.end]) for each in drawing.arrows)
    # What flows inside a folded subgraph is not shown.
    between = dict.fromkeys(each for each in arrows if each.start != each.end or each.start in now)
    return Diagram(drawing.title, list(boxes.values()), list(between))


class _Drawing:
    def __init__(self, config: GraphConfig) -> None:
        self._config = config
        self._nodes: list[tuple[GraphNode, Box]] = []
        self._writers: dict[tuple[bool, str], str] = {}
        self._ends: list[Box] = []
        for port in _ports(config.proto.input_stream, config.location("input_stream", 0)).ports:
            self._outside("in", port.name, is_stream=True)

    def _outside(self, way: str, name: str, *, is_stream: bool) -> str:
        kind = "" if is_stream else "side_"
        box = Box(f"{way}_{kind}{name}", name, "")
        self._ends.append(box)
        if way == "in":
            self._writers[is_stream, name] = box.id
        return box.id

    def add(self, node: GraphNode, name: str) -> None:
        box = Box(f"n{len(self._nodes)}", name, node.proto.calculator, node.inside)
        self._nodes.append((node, box))
        for is_stream, texts in (
            (True, node.proto.output_stream),
            (False, node.proto.output_side_packet),
        ):
            for port in _ports(texts, node.location).ports:
                self._writers[is_stream, port.name] = box.id

    def finish(self, title: str) -> Diagram:
        arrows = [arrow for node, box in self._nodes for arrow in self._arrows_to(node, box)]
        for port in _ports(
            self._config.proto.output_stream, self._config.location("output_stream", 0)
        ).ports:
            writer = self._writers.get((True, port.name))
            end = self._outside("out", port.name, is_stream=True)
            if writer is not None:
                arrows.append(Arrow(writer, end, port.name, Kind.STREAM))
        inputs = [end for end in self._ends if end.id.startswith("in_")]
        outputs = [end for end in self._ends if end.id.startswith("out_")]
        boxes = [*inputs, *(box for _, box in self._nodes), *outputs]
        return Diagram(title, boxes, list(dict.fromkeys(arrows)))

    def _arrows_to(self, node: GraphNode, box: Box) -> Iterator[Arrow]:
        back = {info.tag_index for info in node.proto.input_stream_info if info.back_edge}
        for key, port in _ports(node.proto.input_stream, node.location).items():
            writer = self._writers.get((True, port.name))
            if writer is None:  # an unwired stream is shown as coming from outside
                writer = self._outside("in", port.name, is_stream=True)
            is_back = not back.isdisjoint(_spellings(*key))
            yield Arrow(writer, box.id, port.name, Kind.BACK_EDGE if is_back else Kind.STREAM)
        for port in _ports(node.proto.input_side_packet, node.location).ports:
            writer = self._writers.get((False, port.name))
            if writer is None:
                writer = self._outside("in", port.name, is_stream=False)
            yield Arrow(writer, box.id, port.name, Kind.SIDE_PACKET)


def _ports(texts: Iterable[str], location: Location) -> TagMap:
    try:
        return TagMap.create(texts)
    except StatusError as error:
        raise GraphError([Problem(location, error.message, error.code)]) from None


def _spellings(tag: str, index: int) -> set[str]:
    """How an input_stream_info may name an input."""
    return {f"{tag}:{index}"} | ({tag} if index == 0 else set())


def as_text(drawing: Diagram) -> str:
    """One paragraph a node: what it reads and from whom, what it writes and for whom."""
    label = {box.id: box.label for box in drawing.boxes}
    outside = {box.id for box in drawing.boxes if not box.calculator}
    nodes = [box for box in drawing.boxes if box.calculator]
    lines = [f"{drawing.title}: {len(nodes)} node{'s' * (len(nodes) != 1)}"]
    for box in nodes:
        where = "".join(f", in {each.name} ({each.calculator})" for each in box.inside[-1:])
        named = f" ({box.calculator})" if box.label != box.calculator else ""
        lines += ["", f"{box.label}{named}{where}"]
        for arrow in drawing.arrows:
            if arrow.end == box.id:
                start = "the graph's input" if arrow.start in outside else label[arrow.start]
                lines.append(f"  <- {arrow.name}{_remark(arrow)} from {start}")
        written: dict[str, list[str]] = {}
        for arrow in drawing.arrows:
            if arrow.start == box.id:
                end = "the graph's output" if arrow.end in outside else label[arrow.end]
                written.setdefault(arrow.name, []).append(end)
        lines += [f"  -> {name} for {', '.join(ends)}" for name, ends in written.items()]
    return "\n".join(lines) + "\n"


def _remark(arrow: Arrow) -> str:
    return "" if arrow.kind is Kind.STREAM else f" ({arrow.kind.value})"


_MERMAID_ARROWS: Final = {
    Kind.STREAM: "-->",
    Kind.SIDE_PACKET: "-.->",
    Kind.BACK_EDGE: "==>",
}


def as_mermaid(drawing: Diagram) -> str:
    """A Mermaid flowchart; subgraphs are framed."""
    lines = ["flowchart TD"]
    lines += _mermaid_boxes(drawing.boxes, ())
    for arrow in drawing.arrows:
        name = _mermaid_text(arrow.name)
        lines.append(f"  {arrow.start} {_MERMAID_ARROWS[arrow.kind]}|{name}| {arrow.end}")
    return "\n".join(lines) + "\n"


def _mermaid_boxes(boxes: Sequence[Box], inside: tuple[Enclosing, ...]) -> Iterator[str]:
    indent = "  " * (len(inside) + 1)
    depth = len(inside)
    frames: dict[Enclosing, list[Box]] = {}
    for box in boxes:
        if len(box.inside) > depth:
            frames.setdefault(box.inside[depth], []).append(box)
        elif not box.calculator:
            yield f"{indent}{box.id}([{_mermaid_text(box.label)}])"
        else:
            text = box.label if box.label == box.calculator else f"{box.label}<br>{box.calculator}"
            yield f"{indent}{box.id}[{_mermaid_text(text)}]"
    for frame, framed in frames.items():
        identifier = "g_" + re.sub(r"\W", "_", frame.name)
        yield f"{indent}subgraph {identifier}[{_mermaid_text(f'{frame.name} ({frame.calculator})')}]"
        yield from _mermaid_boxes(framed, (*inside, frame))
        yield f"{indent}end"


def _mermaid_text(text: str) -> str:
    return '"' + text.replace('"', "#quot;") + '"'
