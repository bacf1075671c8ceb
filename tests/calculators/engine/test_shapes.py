"""The table of shapes."""

import pytest

from calcgraph.calculators.engine.shapes import (
    STATIC_BYTES,
    Shape,
    ShapeTable,
    bucket_table,
    hot_shapes,
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


def test_static_programs_go_to_the_fullest_batch_and_to_lone_texts_as_memory_allows() -> None:
    table = packed_table(256, 1024, row=128)
    hot = hot_shapes(table, weight_bytes=STATIC_BYTES // 4)
    assert hot == [Shape(128, 8, 32), Shape(32, 1, 8), Shape(64, 1, 16), Shape(16, 1, 4)]
    assert hot_shapes(table, weight_bytes=STATIC_BYTES + 1) == []
