"""A graph as an SVG picture: boxes in layers from top to bottom, so that packets flow downward.

The usual four steps (Sugiyama, Tagawa and Toda, 1981): give each box a layer, split long arrows at the
layers they cross, order each layer so that few arrows cross, then place everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Final

import networkx as nx

from calcgraph.runtime.show import Arrow, Box, Diagram, Kind

_CHARACTER: Final = 7.2
"""Width of a letter of the 12 px monospaced font."""
_HEIGHT: Final = 40
_LAYER_GAP: Final = 56
_BOX_GAP: Final = 28
_MARGIN: Final = 24
_SWEEPS: Final = 12

_TINTS: Final = ("#eef4ff", "#eefaf0", "#fff6e5", "#fbeefc", "#eef9fb", "#fdf0f0")
_STYLE: Final = """
  text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1d2433; text-anchor: middle }
  .type, .stream { fill: #66708a; font-size: 10px }
  .box { stroke: #5b6b8c; fill: #fff } .end { stroke: #9aa5bd; fill: #f5f6f9 }
  .arrow { fill: none; stroke: #5b6b8c } .side { stroke-dasharray: 2 3 } .back { stroke-dasharray: 6 4 }
"""


@dataclass
class _Place:
    """A box, or (box None) a point where a long arrow crosses a layer."""

    box: Box | None
    width: float
    layer: int
    x: float = 0.0
    """The middle."""


@dataclass
class _Layout:
    places: dict[str, _Place] = field(default_factory=dict)
    layers: list[list[str]] = field(default_factory=list)
    routes: list[tuple[Arrow, list[str]]] = field(default_factory=list)
    """Each arrow and the places it goes through, its ends included."""

    def y(self, layer: int) -> float:
        return _MARGIN + layer * (_HEIGHT + _LAYER_GAP)

    @property
    def width(self) -> float:
        right = (place.x + place.width / 2 for place in self.places.values())
        return max(right, default=0) + _MARGIN

    @property
    def height(self) -> float:
        return self.y(max(len(self.layers), 1)) - _LAYER_GAP + _MARGIN


def as_svg(drawing: Diagram) -> str:
    """A standalone SVG document."""
    layout = _lay_out(drawing)
    body = "\n".join([*_arrows(layout), *_boxes(layout)])
    width, height = round(layout.width), round(layout.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">\n<title>{escape(drawing.title)}</title>\n'
        f"<style>{_STYLE}</style>\n"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#5b6b8c"/></marker></defs>\n'
        f"{body}\n</svg>\n"
    )


def _lay_out(drawing: Diagram) -> _Layout:
    layout = _Layout()
    layer_of = _layer_of(drawing)
    for box in drawing.boxes:
        longest = max(len(box.label), len(box.calculator) * 10 / 12)
        layout.places[box.id] = _Place(box, longest * _CHARACTER + 20, layer_of[box.id])
    for arrow in _bundled(drawing.arrows):
        layout.routes.append((arrow, _route(layout, arrow)))
    for layer in range(1 + max(layer_of.values(), default=-1)):
        layout.layers.append([key for key, place in layout.places.items() if place.layer == layer])
    _order(layout)
    _place(layout)
    return layout


def _bundled(arrows: Iterable[Arrow]) -> Iterator[Arrow]:
    """Arrows of one kind between the same boxes, as one."""
    bundles: dict[tuple[str, str, Kind], list[str]] = {}
    for arrow in arrows:
        bundles.setdefault((arrow.start, arrow.end, arrow.kind), []).append(arrow.name)
    for (start, end, kind), names in bundles.items():
        yield Arrow(start, end, ", ".join(names), kind)


def _layer_of(drawing: Diagram) -> dict[str, int]:
    """One below the lowest box that feeds it; a graph's outputs all at the bottom."""
    dag: nx.DiGraph[str] = nx.DiGraph()
    dag.add_nodes_from(box.id for box in drawing.boxes)
    for arrow in drawing.arrows:
        if arrow.kind is not Kind.BACK_EDGE and arrow.start != arrow.end:
            dag.add_edge(arrow.start, arrow.end)
    while not nx.is_directed_acyclic_graph(dag):  # a wrong graph can be looked at, too
        dag.remove_edge(*nx.find_cycle(dag)[-1][:2])
    layers: dict[str, int] = {}
    for key in nx.topological_sort(dag):
        layers[key] = max((layers[before] + 1 for before in dag.predecessors(key)), default=0)
    _pull_inputs_down(dag, layers)
    bottom = max(layers.values(), default=0)
    return {key: bottom if key.startswith("out_") else layer for key, layer in layers.items()}


def _pull_inputs_down(dag: nx.DiGraph[str], layers: dict[str, int]) -> None:
    """An input that only a late node reads stands just above that node."""
    for key in [key for key in layers if key.startswith("in_")]:
        readers = [layers[after] for after in dag.successors(key)]
        layers[key] = max(min(readers, default=1) - 1, 0)


def _route(layout: _Layout, arrow: Arrow) -> list[str]:
    start, end = layout.places[arrow.start].layer, layout.places[arrow.end].layer
    step = 1 if end >= start else -1
    points = []
    for layer in range(start + step, end, step):
        key = f"{len(layout.places)}|{arrow.name}"
        layout.places[key] = _Place(None, 8.0, layer)
        points.append(key)
    return [arrow.start, *points, arrow.end]


def _neighbours(layout: _Layout) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """For each place those it is joined to in the layer above, and in the layer below."""
    above: dict[str, list[str]] = {key: [] for key in layout.places}
    below: dict[str, list[str]] = {key: [] for key in layout.places}
    for _, route in layout.routes:
        for one, other in pairwise(route):
            upper, lower = sorted((one, other), key=lambda key: layout.places[key].layer)
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _order(layout: _Layout) -> None:
    """Sweep down and up, moving each place to the middle of its neighbours in the layer before."""
    above, below = _neighbours(layout)
    best, fewest = [list(layer) for layer in layout.layers], _crossings(layout, below)
    for sweep in range(_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        layers = layout.layers if sweep % 2 == 0 else reversed(layout.layers)
        rank: dict[str, int] = {}
        for layer in layers:
            middles = {}
            for own, key in enumerate(layer):
                middle = _mean(rank[n] for n in neighbours[key] if n in rank)
                middles[key] = own if middle is None else middle
            layer.sort(key=middles.__getitem__)
            rank.update((key, place) for place, key in enumerate(layer))
        crossings = _crossings(layout, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layout.layers], crossings
    layout.layers[:] = best


def _crossings(layout: _Layout, below: Mapping[str, Sequence[str]]) -> int:
    count = 0
    for upper, lower in pairwise(layout.layers):
        rank = {key: place for place, key in enumerate(lower)}
        ends = [sorted(rank[n] for n in below[key] if n in rank) for key in upper]
        flat = [place for each in ends for place in each]
        count += sum(flat[i] > flat[j] for i in range(len(flat)) for j in range(i + 1, len(flat)))
    return count


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None


def _place(layout: _Layout) -> None:
    """Pull each place towards its neighbours, without overlap, so that arrows run straight."""
    above, below = _neighbours(layout)
    for layer in layout.layers:
        _set_apart(layout, layer, [0.0] * len(layer))
    for sweep in range(_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for layer in layout.layers if sweep % 2 == 0 else reversed(layout.layers):
            wanted = []
            for key in layer:
                middle = _mean(layout.places[n].x for n in neighbours[key])
                wanted.append(layout.places[key].x if middle is None else middle)
            _set_apart(layout, layer, wanted)
    left = min((place.x - place.width / 2 for place in layout.places.values()), default=0.0)
    for place in layout.places.values():
        place.x += _MARGIN - left


def _set_apart(layout: _Layout, layer: Sequence[str], wanted: Sequence[float]) -> None:
    """As near to the wanted places as the boxes' widths allow, between pushing right and left."""
    places = [layout.places[key] for key in layer]
    gaps = [(one.width + other.width) / 2 + _BOX_GAP for one, other in pairwise(places)]
    pushed_right = list(wanted)
    for i, gap in enumerate(gaps):
        pushed_right[i + 1] = max(pushed_right[i + 1], pushed_right[i] + gap)
    pushed_left = list(wanted)
    for i, gap in reversed(list(enumerate(gaps))):
        pushed_left[i] = min(pushed_left[i], pushed_left[i + 1] - gap)
    for place, right, left in zip(places, pushed_right, pushed_left, strict=True):
        place.x = (right + left) / 2


def _boxes(layout: _Layout) -> Iterator[str]:
    frames: dict[str, str] = {}
    for place in layout.places.values():
        box = place.box
        if box is None:
            continue
        left, top, x = place.x - place.width / 2, layout.y(place.layer), place.x
        style, radius = "box" if box.calculator else "end", 6 if box.calculator else _HEIGHT // 2
        fill = ""
        if box.inside:
            frame = box.inside[0].name
            fill = f' style="fill: {frames.setdefault(frame, _TINTS[len(frames) % len(_TINTS)])}"'
        note = " > ".join([*(each.name for each in box.inside), box.label])
        yield (
            f'<g><title>{escape(note)}</title><rect class="{style}" x="{left:.1f}" y="{top:.1f}" '
            f'width="{place.width:.1f}" height="{_HEIGHT}" rx="{radius}"{fill}/>'
        )
        if box.calculator and box.calculator != box.label:
            yield f'<text x="{x:.1f}" y="{top + 17:.1f}">{escape(box.label)}</text>'
            yield f'<text class="type" x="{x:.1f}" y="{top + 31:.1f}">{escape(box.calculator)}</text></g>'
        else:
            yield f'<text x="{x:.1f}" y="{top + 24:.1f}">{escape(box.label)}</text></g>'


def _arrows(layout: _Layout) -> Iterator[str]:
    styles = {Kind.STREAM: "", Kind.SIDE_PACKET: " side", Kind.BACK_EDGE: " back"}
    for arrow, route in layout.routes:
        points = list(_points(layout, arrow, route))
        path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
        for (x0, y0), (x1, y1) in pairwise(points):
            bend = (y1 - y0) / 2
            path += f" C{x0:.1f} {y0 + bend:.1f} {x1:.1f} {y1 - bend:.1f} {x1:.1f} {y1:.1f}"
        yield f'<path class="arrow{styles[arrow.kind]}" d="{path}" marker-end="url(#head)"/>'
        (x0, y0), (x1, y1) = points[0], points[1]
        yield (
            f'<text class="stream" x="{(x0 + x1) / 2:.1f}" y="{(y0 + y1) / 2:.1f}">'
            f"{escape(arrow.name)}</text>"
        )


def _points(layout: _Layout, arrow: Arrow, route: Sequence[str]) -> Iterator[tuple[float, float]]:
    start, end = layout.places[route[0]], layout.places[route[-1]]
    downward = end.layer > start.layer
    top, bottom = layout.y(start.layer), layout.y(end.layer)
    if end.layer == start.layer:  # a loop to itself, or a back edge within one layer
        side = start.width / 2
        yield start.x + side, top + _HEIGHT / 2
        yield (start.x + end.x) / 2 + side + 20, top - _LAYER_GAP / 3
        yield end.x + end.width / 4, top
        return
    yield start.x, top + _HEIGHT if downward else top
    for key in route[1:-1]:
        yield layout.places[key].x, layout.y(layout.places[key].layer) + _HEIGHT / 2
    yield end.x, bottom if downward else bottom + _HEIGHT
