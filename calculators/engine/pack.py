"""Which texts share a row, and which rows an inference: from lengths to dispatches, nothing else.

Rows are filled first-fit, longest text first. A row is opened at the base length, or longer when
its first text needs it; every base length is tried and the cheapest plan wins. One text a row is the
special case that wins by itself when texts are as long as rows. What gaps are left may be filled with
texts from further back in the queue, which costs nobody anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from calcgraph.calculators.engine.shapes import Shape, ShapeTable


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One inference: in each row, the texts (as indices) that share it."""

    shape: Shape
    rows: tuple[tuple[int, ...], ...]


def plan(lengths: Sequence[int], table: ShapeTable) -> list[Dispatch]:
    """The cheapest way found to run texts of these lengths, shortest rows first.

    `lengths` are in tokens, at least 1 each and at most the table's longest row.
    """
    if len(lengths) == 1:
        shape = table.cover(1, table.fit(lengths[0]))[0]
        return [Dispatch(shape, ((0,),))]
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    plans = [_fill(order, lengths, table, base) for base in _bases(lengths, table)]
    rows = min(plans, key=lambda rows: sum(table.cost(len(r), n) for n, r in rows.items()))
    return [
        dispatch for length in sorted(rows) for dispatch in _dispatches(rows[length], length, table)
    ]


def fill_up(dispatch: Dispatch, lengths: Sequence[int]) -> Dispatch:
    """The gaps of a dispatch filled with texts that are in none of its rows, longest first."""
    shape = dispatch.shape
    used = {i for row in dispatch.rows for i in row}
    spare = sorted((i for i in range(len(lengths)) if i not in used), key=lambda i: -lengths[i])
    rows = [list(row) for row in dispatch.rows]
    rows += [[] for _ in range(shape.rows - len(rows))]
    for row in rows:
        room = shape.length - sum(lengths[i] for i in row)
        left = []
        for i in spare:
            if lengths[i] <= room and len(row) < shape.slots:
                row.append(i)
                room -= lengths[i]
            else:
                left.append(i)
        spare = left
    return Dispatch(shape, tuple(tuple(row) for row in rows if row))


def _bases(lengths: Sequence[int], table: ShapeTable) -> Sequence[int]:
    """Row lengths worth trying: no shorter than a typical text, no longer than all together."""
    if not table.packed:
        return table.lengths[:1]
    total, mean = sum(lengths), sum(lengths) / len(lengths)
    worth = [n for n in table.lengths if n >= mean]
    return [n for n in worth if n < 2 * total] or worth[:1]


def _fill(
    order: Sequence[int], lengths: Sequence[int], table: ShapeTable, base: int
) -> dict[int, list[list[int]]]:
    """Row length -> its rows, each the list of its texts. First fit."""
    rows: dict[int, list[list[int]]] = {}
    open_rows: list[tuple[int, list[int]]] = []
    free: list[int] = []
    for i in order:
        tokens = lengths[i]
        at = next((at for at, room in enumerate(free) if room >= tokens), len(free))
        if at == len(free):
            length = table.fit(max(tokens, base))
            open_rows.append((length, []))
            rows.setdefault(length, []).append(open_rows[-1][1])
            free.append(length)
        length, row = open_rows[at]
        row.append(i)
        free[at] -= tokens
        if len(row) == table.slots[length]:
            free[at] = 0
    return rows


def _dispatches(rows: list[list[int]], length: int, table: ShapeTable) -> list[Dispatch]:
    dispatches, start = [], 0
    for shape in table.cover(len(rows), length):
        part = rows[start : start + shape.rows]
        dispatches.append(Dispatch(shape, tuple(map(tuple, part))))
        start += shape.rows
    return dispatches
