"""A graph to look at: text, Mermaid and SVG."""

from xml.etree import ElementTree

import pytest

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.registry import Registry
from calcgraph.runtime.show import Kind, as_mermaid, as_text, diagram
from calcgraph.runtime.show_svg import as_svg

GRAPH = """
input_stream: "IN:in"
output_stream: "out"
node { calculator: "Unknown" input_stream: "in" input_stream: "LOOP:back" output_stream: "a"
       input_stream_info { tag_index: "LOOP" back_edge: true } }
node { name: "pair" calculator: "Pair" input_stream: "a" output_stream: "b" }
node { name: "end" calculator: "Unknown" input_stream: "b" input_stream: "a" input_side_packet: "S:model"
       output_stream: "out" output_stream: "back" }
"""
PAIR = """
type: "Pair" input_stream: "i" output_stream: "o"
node { name: "first" calculator: "Unknown" input_stream: "i" output_stream: "m" }
node { name: "last" calculator: "Unknown" input_stream: "m" output_stream: "o" }
"""
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text=GRAPH, *, fold=False, subgraphs=(PAIR,)):
    return diagram(
        read_graph(text, "g.pbtxt"),
        registry=Registry(),
        subgraphs=[read_graph(each) for each in subgraphs],
        fold=fold,
    )


def test_every_stream_is_an_arrow_from_who_writes_to_who_reads():
    folded = drawn(fold=True)
    assert [box.label for box in folded.boxes] == ["in", "model", "Unknown", "pair", "end", "out"]
    label = {box.id: box.label for box in folded.boxes}
    arrows = {(label[each.start], each.name, label[each.end], each.kind) for each in folded.arrows}
    assert arrows == {
        ("in", "in", "Unknown", Kind.STREAM),
        ("end", "back", "Unknown", Kind.BACK_EDGE),
        ("Unknown", "a", "pair", Kind.STREAM),
        ("pair", "b", "end", Kind.STREAM),
        ("Unknown", "a", "end", Kind.STREAM),
        ("model", "model", "end", Kind.SIDE_PACKET),
        ("end", "out", "out", Kind.STREAM),
    }


def test_subgraphs_are_drawn_whole_unless_they_are_folded():
    unfolded = drawn()
    inner = [box.label for box in unfolded.boxes if box.inside]
    assert inner == ["pair__first", "pair__last"]
    assert not any(box.inside for box in drawn(fold=True).boxes)


@pytest.mark.parametrize("name", ["pair", "Pair"])
def test_subgraphs_are_folded_by_name_or_type(name):
    other = GRAPH.replace('name: "end" calculator: "Unknown"', 'name: "end" calculator: "Other"')
    inner = """
        type: "Other" input_stream: "i" input_stream: "j" output_stream: "o" output_stream: "p"
        input_side_packet: "S:s"
        node { name: "x" calculator: "Unknown" input_stream: "i" input_stream: "j" output_stream: "m" }
        node { name: "y" calculator: "Unknown" input_stream: "m" output_stream: "o" output_stream: "p" }
    """
    picture = drawn(other, fold=[name], subgraphs=(PAIR, inner))
    assert [box.label for box in picture.boxes if box.calculator] == [
        "Unknown",
        "pair",
        "end__x",
        "end__y",
    ]
    assert not any(each.start == each.end for each in picture.arrows)
    ElementTree.fromstring(as_svg(picture))


def test_the_text_names_both_ends_of_every_stream():
    text = as_text(drawn())
    assert text.startswith("g.pbtxt: 4 nodes\n")
    assert (
        "pair__first (Unknown), in pair (Pair)\n  <- a from Unknown\n  -> pair__m for pair__last"
        in text
    )
    assert "  <- model (side packet) from the graph's input" in text
    assert "  <- back (back edge) from end" in text
    assert "  -> out for the graph's output" in text


def test_the_mermaid_diagram_frames_subgraphs():
    lines = as_mermaid(drawn()).splitlines()
    assert lines[0] == "flowchart TD"
    frame = lines.index('  subgraph g_pair["pair (Pair)"]')
    assert lines[frame + 1] == '    n2["pair__first<br>Unknown"]'
    assert lines[frame + 3] == "  end"
    assert '  n1 ==>|"back"| n0' in lines
    assert '  in_side_model -.->|"model"| n1' in lines


@pytest.mark.parametrize("fold", [True, False])
def test_the_svg_has_a_box_for_each_node_and_none_overlap(fold):
    picture = drawn(fold=fold)
    root = ElementTree.fromstring(as_svg(picture))
    boxes = [
        tuple(float(each.get(key)) for key in ("x", "y", "width", "height"))
        for each in root.iter(f"{SVG}rect")
    ]
    assert len(boxes) == len(picture.boxes)
    width, height = float(root.get("width")), float(root.get("height"))
    for x, y, w, h in boxes:
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
    for place, (x, y, w, h) in enumerate(boxes):
        for ox, oy, ow, oh in boxes[:place]:
            assert x + w <= ox or ox + ow <= x or y + h <= oy or oy + oh <= y


def test_packets_flow_downward_in_the_svg_except_on_back_edges():
    root = ElementTree.fromstring(as_svg(drawn()))
    top = {
        group.find(f"{SVG}title").text: float(group.find(f"{SVG}rect").get("y"))
        for group in root.iter(f"{SVG}g")
    }
    assert (
        top["in"]
        < top["Unknown"]
        < top["pair > pair__first"]
        < top["pair > pair__last"]
        < top["end"]
    )
    assert top["end"] < top["out"]


def test_names_are_escaped_for_what_they_are_written_in():
    picture = drawn('node { name: "a<b>&\\"c" calculator: "X" }', subgraphs=())
    assert "a&lt;b&gt;&amp;" in as_svg(picture)
    ElementTree.fromstring(as_svg(picture))
    assert "#quot;c" in as_mermaid(picture)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'node { calculator: "A" input_stream: "x" output_stream: "x" }',
        'node { calculator: "A" input_stream: "x" output_stream: "y" }'
        'node { calculator: "A" input_stream: "y" output_stream: "x" }',
        'input_stream: "a" output_stream: "a"',
        'output_stream: "nobody"',
    ],
    ids=["nothing", "a loop", "a cycle", "straight through", "an output nobody writes"],
)
def test_a_graph_that_would_not_run_can_still_be_looked_at(text):
    picture = drawn(text, subgraphs=())
    ElementTree.fromstring(as_svg(picture))
    assert as_text(picture)
    assert as_mermaid(picture)


def test_a_class_subgraph_is_unfolded_too():
    class Expanding(Calculator):
        @classmethod
        def expand(cls, context):
            return 'node { name: "inner" calculator: "X" }'

    registry = Registry()
    registry.register("Expanding", Expanding)
    picture = diagram(read_graph('node { calculator: "Expanding" }'), registry=registry)
    assert [box.label for box in picture.boxes] == ["expanding__inner"]
