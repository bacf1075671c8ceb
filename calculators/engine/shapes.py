"""The few shapes inferences have, what each costs, and which to take for some rows.

A shape is rows x length in tokens. Cost is counted in tokens of a long plain row: a dispatch has a
fixed cost, every token pays for the matrix products, and for attention in proportion to the length
of its row. The constants are ratios measured on MiniLM (bf16); only the order they give matters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

DISPATCH_COST = 20.0
"""One inference costs as much as these many tokens, however small."""
ATTENTION_LENGTH = 1500.0
"""In a row of this length attention costs as much as all the rest."""
TOKENS_A_TEXT = 4
"""Rows have room for texts of this mean length; two special tokens leave two for the words."""


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """Rows of `length` tokens, each with `slots` texts at most."""

    length: int
    rows: int
    slots: int = 1

    @property
    def tokens(self) -> int:
        return self.rows * self.length

    @property
    def texts(self) -> int:
        return self.rows * self.slots

    @property
    def cost(self) -> float:
        return DISPATCH_COST + self.tokens * (1 + self.length / ATTENTION_LENGTH)

    def __str__(self) -> str:
        return f"[{self.rows},{self.length}]"


class ShapeTable:
    """The shapes there are, asked for by the rows to be run."""

    def __init__(self, shapes: Iterable[Shape]) -> None:
        self.shapes = tuple(sorted(shapes))
        self.lengths = tuple(sorted({s.length for s in self.shapes}))
        self.tokens = max(s.tokens for s in self.shapes)
        self.texts = max(s.texts for s in self.shapes)
        self.packed = any(s.slots > 1 for s in self.shapes)
        self.slots = {s.length: s.slots for s in self.shapes}
        self._cover = cache(self._cheapest)

    def fit(self, tokens: int) -> int:
        """The shortest row length that holds so many tokens."""
        return next(n for n in self.lengths if n >= tokens)

    def cover(self, rows: int, length: int) -> tuple[Shape, ...]:
        """The cheapest shapes of this length that hold so many rows, largest first."""
        return self._cover(rows, length)

    def cost(self, rows: int, length: int) -> float:
        return sum(shape.cost for shape in self.cover(rows, length))

    def _cheapest(self, rows: int, length: int) -> tuple[Shape, ...]:
        shapes = [s for s in self.shapes if s.length == length]
        largest = shapes[-1]
        if rows > largest.rows:
            return (largest, *self.cover(rows - largest.rows, length))
        whole = next(s for s in shapes if s.rows >= rows)
        parts = [(s, *self.cover(rows - s.rows, length)) for s in reversed(shapes) if s.rows < rows]
        return min([(whole,), *parts], key=lambda cover: sum(s.cost for s in cover))


def packed_table(max_tokens: int, budget: int, row: int) -> ShapeTable:
    """Shapes for packed rows: short ones for a lone text, rows of `row` tokens and up in any number
    that the budget of tokens holds."""
    return ShapeTable(
        Shape(n, rows, max(1, n // TOKENS_A_TEXT))
        for n in _lengths(max(row, max_tokens))
        for rows in ([1] if n < row else range(1, max(1, budget // n) + 1))
    )


def bucket_table(max_tokens: int, budget: int) -> ShapeTable:
    """Shapes for one text a row: every length in 1, 2, 4 ... rows."""
    return ShapeTable(Shape(n, k) for n in _lengths(max_tokens) for k in _powers(budget // n))


def full_shape(table: ShapeTable) -> Shape:
    """What a busy engine runs: the most tokens, in the shortest rows."""
    return max(table.shapes, key=lambda s: (s.tokens, -s.length))


def lone_shapes(table: ShapeTable) -> Sequence[Shape]:
    """What a lone text waits for, the likeliest length first."""
    lone = [s for s in table.shapes if s.rows == 1 and s.length <= full_shape(table).length]
    return [*lone[1:3], *lone[:1], *lone[3:]]


def _lengths(longest: int) -> list[int]:
    """Row lengths: powers of two from 16, and `longest` at the end."""
    return [*(16 << i for i in range(32) if 16 << i < longest), longest]


def _powers(most: int) -> list[int]:
    return [1 << i for i in range(max(1, most).bit_length())]
