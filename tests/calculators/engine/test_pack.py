"""Which texts share rows and which rows an inference."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcgraph.calculators.engine.pack import Dispatch, fill_up, plan
from calcgraph.calculators.engine.shapes import Shape, ShapeTable, bucket_table, packed_table

PACKED = packed_table(max_tokens=256, budget=1024, row=128)
BUCKETS = bucket_table(max_tokens=256, budget=1024)


def tokens(dispatches: list[Dispatch]) -> int:
    return sum(d.shape.tokens for d in dispatches)


@given(st.lists(st.integers(1, 256), min_size=1, max_size=150), st.sampled_from([PACKED, BUCKETS]))
def test_every_text_is_in_one_row_that_holds_it(lengths: list[int], table: ShapeTable) -> None:
    dispatches = plan(lengths, table)
    seen: Counter[int] = Counter()
    for dispatch in dispatches:
        assert dispatch.shape in table.shapes
        assert 0 < len(dispatch.rows) <= dispatch.shape.rows
        for row in dispatch.rows:
            assert 0 < len(row) <= dispatch.shape.slots
            assert sum(lengths[i] for i in row) <= dispatch.shape.length
            seen.update(row)
    assert seen == Counter(range(len(lengths)))


@pytest.mark.parametrize(("length", "row"), [(1, 16), (16, 16), (17, 32), (128, 128), (129, 256)])
def test_a_lone_text_gets_the_shortest_row(length: int, row: int) -> None:
    assert plan([length], PACKED) == [Dispatch(Shape(row, 1, row // 4), ((0,),))]


def test_short_texts_share_rows() -> None:
    dispatches = plan([16] * 64, PACKED)
    assert tokens(dispatches) == 1024
    assert {len(row) for d in dispatches for row in d.rows} == {8}


def test_long_equal_texts_have_a_row_each() -> None:
    (dispatch,) = plan([250] * 4, PACKED)
    assert dispatch.shape.length == 256
    assert {len(row) for row in dispatch.rows} == {1}


def test_short_texts_fill_the_rows_of_long_ones() -> None:
    (dispatch,) = plan([200, 20, 20], PACKED)
    assert dispatch.shape == Shape(256, 1, 64)


def test_a_few_short_texts_do_not_wait_for_a_long_row() -> None:
    (dispatch,) = plan([20, 20, 20], PACKED)
    assert dispatch.shape.tokens == 64


def test_without_packing_every_text_has_a_row_of_its_bucket() -> None:
    dispatches = plan([10, 200, 12, 130], BUCKETS)
    assert [(d.shape.length, d.rows) for d in dispatches] == [
        (16, ((2,), (0,))),
        (256, ((1,), (3,))),
    ]


@given(st.lists(st.integers(8, 64), min_size=48, max_size=200))
def test_packed_rows_are_mostly_full(lengths: list[int]) -> None:
    assert sum(lengths) / tokens(plan(lengths, PACKED)) > 0.75


@given(st.lists(st.integers(1, 256), min_size=1, max_size=80), st.sampled_from([PACKED, BUCKETS]))
def test_gaps_take_what_fits_and_move_nobody(lengths: list[int], table: ShapeTable) -> None:
    dispatch = plan(lengths[:5], table)[0]
    full = fill_up(dispatch, lengths)
    assert full.shape == dispatch.shape
    assert [row[: len(old)] for row, old in zip(full.rows, dispatch.rows, strict=False)] == [
        *dispatch.rows
    ]
    inside = [i for row in full.rows for i in row]
    assert len(set(inside)) == len(inside)
    left = min((n for i, n in enumerate(lengths) if i not in inside), default=None)
    for row in full.rows:
        used = sum(lengths[i] for i in row)
        assert used <= full.shape.length
        assert left is None or used + left > full.shape.length or len(row) == full.shape.slots
