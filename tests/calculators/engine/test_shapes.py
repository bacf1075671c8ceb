"""The table of shapes."""

import pytest

from calcgraph.calculators.engine.shapes import (
    Shape,
    ShapeTable,
    bucket_table,
    full_shape,
    lone_shapes,
    packed_table,
)

ROW = 128


@pytest.mark.parametrize("max_tokens", [1, 15, 16, 100, 128, 256, 384, 512, 8192])
@pytest.mark.parametrize("make", [bucket_table, lambda m, b: packed_table(m, b, ROW)])
def test_there_is_a_row_for_every_length_up_to_the_limit(make: object, max_tokens: int) -> None:
    table = make(max_tokens, 1024)  # type: ignore[operator]
    assert table.lengths[-1] == max(max_tokens, ROW if table.packed else 1)
    assert table.fit(1) == table.lengths[0]
    assert len(table.shapes) <= 60


@pytest.mark.parametrize("rows", range(1, 40))
def test_shapes_hold_the_rows_they_are_asked_for(rows: int) -> None:
    table = ShapeTable([Shape(128, 1), Shape(128, 2), Shape(128, 8)])
    cover = table.cover(rows, 128)
    assert sum(shape.rows for shape in cover) >= rows
    assert table.cost(rows, 128) <= -(-rows // 8) * Shape(128, 8).cost


def test_two_small_inferences_beat_one_that_is_half_empty() -> None:
    table = ShapeTable([Shape(128, 1), Shape(128, 4), Shape(128, 8)])
    assert table.cover(5, 128) == (Shape(128, 4), Shape(128, 1))
    assert table.cover(8, 128) == (Shape(128, 8),)


def test_one_inference_beats_many_of_a_few_tokens() -> None:
    table = ShapeTable([Shape(16, 1), Shape(16, 4)])
    assert table.cover(3, 16) == (Shape(16, 4),)


def test_a_busy_engine_runs_full_batches_and_a_lone_text_is_likely_short() -> None:
    table = packed_table(256, 1024, row=128)
    assert full_shape(table) == Shape(128, 8, 32)
    assert [shape.length for shape in lone_shapes(table)] == [32, 64, 16, 128]
