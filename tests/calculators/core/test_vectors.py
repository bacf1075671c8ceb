import numpy as np
import pytest
from core_run import at, node, run, seen

from calcgraph.runtime.errors import Code, GraphError, RunError


def concatenated(values, options=""):
    """The inputs a, b, ... have these values at time 1; None is no packet."""
    names = "abcdef"[: len(values)]
    extra = f"options {{ [mediapipe.ConcatenateVectorCalculatorOptions.ext] {{ {options} }} }}"
    graph = node("ConcatenateFloatVectorCalculator", " ".join(names), "out", extra=extra)
    return seen(
        graph, {n: [] if v is None else [(1, v)] for n, v in zip(names, values, strict=True)}
    )


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        ([[1, 2], [3]], [1, 2, 3]),
        ([[], [1]], [1]),
        ([[], []], []),
        ([[1], None, [2]], [1, 2]),
        ([1, 2, 3], [1, 2, 3]),
        ([[1, 2], 3, (4,)], [1, 2, 3, 4]),
        (["one", ["two"]], ["one", "two"]),
    ],
)
def test_vectors_and_items_are_joined_in_order(values, joined):
    assert concatenated(values) == [(1, joined)]


def test_arrays_are_joined_to_an_array():
    [(_, joined)] = concatenated([np.array([1.0]), np.array([2.0, 3.0])])
    assert isinstance(joined, np.ndarray)
    assert joined.tolist() == [1.0, 2.0, 3.0]


def test_all_or_nothing_by_option():
    assert concatenated([[1], None], "only_emit_if_all_present: true") == []
    assert concatenated([[1], [2]], "only_emit_if_all_present: true") == [(1, [1, 2])]


def test_packets_are_gathered_into_a_list():
    graph = node("MergeToVectorCalculator", "a b c", "out")
    packets = {"a": at([1, 2]), "b": at([2]), "c": at([1, 2])}
    assert seen(graph, packets) == [(1, [1, 1]), (2, [2, 2, 2])]


def split(options, vector, outputs="a b"):
    extra = f"options {{ [mediapipe.SplitVectorCalculatorOptions.ext] {{ {options} }} }}"
    graph = node("SplitFloatVectorCalculator", "in", outputs, extra=extra)
    return run(graph, {"in": [(1, vector)]}, outputs)


TWO_RANGES = "ranges { begin: 0 end: 1 } ranges { begin: 1 end: 4 }"


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_each_range_goes_to_its_output(kind):
    outputs = split(TWO_RANGES, kind([5, 6, 7, 8, 9]))
    assert {name: list(packets[0][1]) for name, packets in outputs.items()} == {
        "a": [5],
        "b": [6, 7, 8],
    }


def test_ranges_of_one_may_go_out_bare():
    options = "ranges { begin: 0 end: 1 } ranges { begin: 2 end: 3 } element_only: true"
    assert split(options, [5, 6, 7]) == {"a": [(1, 5)], "b": [(1, 7)]}


def test_ranges_may_be_combined_again():
    options = "ranges { begin: 0 end: 1 } ranges { begin: 2 end: 4 } combine_outputs: true"
    assert split(options, [5, 6, 7, 8], "out") == {"out": [(1, [5, 7, 8])]}


def test_a_vector_that_is_too_short_is_an_error():
    with pytest.raises(RunError, match="has 3 items, the ranges need 4") as caught:
        split(TWO_RANGES, [1, 2, 3])
    assert caught.value.code is Code.INTERNAL


@pytest.mark.parametrize(
    ("options", "outputs", "message"),
    [
        ("ranges { begin: 0 end: 1 }", "a b", "The number of output streams should match"),
        ("ranges { begin: -1 end: 1 }", "a", "Indices should be non-negative"),
        ("ranges { begin: 2 end: 2 }", "a", "begin index should be less than the end index"),
        ("ranges { begin: 0 end: 2 } element_only: true", "a", "all ranges should be of size 1"),
        (
            "ranges { begin: 0 end: 2 } ranges { begin: 1 end: 3 } combine_outputs: true",
            "a",
            "Ranges must be non-overlapping",
        ),
        ("ranges { begin: 0 end: 2 } combine_outputs: true", "a b", "there is one output stream"),
    ],
)
def test_wrong_ranges_are_refused(options, outputs, message):
    with pytest.raises(GraphError, match=message):
        split(options, [1, 2, 3], outputs)


def clip(size, vector, side=None):
    extra = (
        f"options {{ [mediapipe.ClipVectorSizeCalculatorOptions.ext] {{ max_vec_size: {size} }} }}"
    )
    graph = node(
        "ClipDetectionVectorSizeCalculator", "in", "out", side="s" if side else "", extra=extra
    )
    return seen(graph, {"in": [(1, vector)]}, side_packets={"s": side} if side else None)


@pytest.mark.parametrize(
    ("size", "side", "left"), [(2, None, [1, 2]), (5, None, [1, 2, 3]), (1, 2, [1, 2])]
)
def test_a_vector_is_clipped(size, side, left):
    assert clip(size, [1, 2, 3], side) == [(1, left)]


def test_nothing_is_clipped_to_nothing():
    with pytest.raises(GraphError, match="max_vec_size should be greater than or equal to 1"):
        clip(0, [1])


def item(vector, index=None, options=""):
    extra = f"options {{ [mediapipe.GetVectorItemCalculatorOptions.ext] {{ {options} }} }}"
    inputs = "VECTOR:in INDEX:index"
    graph = node("GetRectVectorItemCalculator", inputs, "ITEM:out", extra=extra)
    return seen(graph, {"in": [(1, vector)], "index": [] if index is None else [(1, index)]})


@pytest.mark.parametrize(
    ("index", "options", "value"),
    [(1, "", 11), (None, "item_index: 2", 12), (0, "item_index: 2", 10)],
    ids=["stream", "option", "the stream wins"],
)
def test_one_item_is_taken(index, options, value):
    assert item([10, 11, 12], index, options) == [(1, value)]


def test_without_an_index_there_is_no_item():
    assert item([1]) == []


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_out_of_bounds_is_an_error_unless_it_may_be_silent(index):
    assert item([1, 2, 3], index, "output_empty_on_oob: true") == []
    with pytest.raises(RunError, match=f"index {index} is outside of a vector of 3 items"):
        item([1, 2, 3], index)


def test_size_and_indices():
    graph = node("VectorSizeCalculator", "VECTOR:in", "SIZE:size") + node(
        "IntVectorIndicesCalculator", "VECTOR:in", "INDICES:indices"
    )
    assert run(graph, {"in": [(3, ["xyz"]), (4, [7, 8])]}, "size indices") == {
        "size": [(3, 1), (4, 2)],
        "indices": [(3, [0]), (4, [0, 1])],
    }


def test_a_vector_input_refuses_other_payloads():
    with pytest.raises(ValueError, match="found str"):
        run(node("VectorSizeCalculator", "VECTOR:in", "SIZE:out"), {"in": [(1, "abc")]})
