"""The few fixed shapes a model is compiled for, what each costs, and which to take for some rows.

A shape is rows x length in tokens. Cost is counted in tokens of a long plain row: a dispatch has a
fixed cost, every token pays for the matrix products, and for attention in proportion to the length
of its row. The constants are ratios measured on MiniLM (f32 and bf16); only their order matters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

DISPATCH_COST = 24.0
"""One inference costs as much as these many tokens, however small."""
ATTENTION_LENGTH = 1500.0
"""In a row of this length attention costs as much as all the rest."""


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """A fixed input shape."""

    length: int
    rows: int

    @property
    def tokens(self) -> int:
        return self.rows * self.length

    @property
    def cost(self) -> float:
        return DISPATCH_COST + self.tokens * (1 + self.length / ATTENTION_LENGTH)

    def __str__(self) -> str:
        return f"[{self.rows},{self.length}]"


def lengths_up_to(longest: int, shortest: int = 16) -> list[int]:
    """Row lengths: powers of two, and `longest` at the end."""
    lengths = [shortest]
    while lengths[-1] * 2 < longest:
        lengths.append(lengths[-1] * 2)
    return [*(n for n in lengths if n < longest), longest]


def packed_shapes(max_tokens: int, budget: int, row: int = 128) -> list[Shape]:
    """Shapes for packed rows: short ones for a lone text, and rows of `row` tokens and up
    in 1, 2, 4 ... as far as the budget of tokens goes."""
    lengths = lengths_up_to(max_tokens)
    return [
        Shape(n, rows)
        for n in lengths
        for rows in ([1] if n < row and n < max_tokens else _doubling(budget // n))
    ]


def bucket_shapes(max_tokens: int, budget: int) -> list[Shape]:
    """Shapes for one text a row: every length in 1, 4, 16 ... rows."""
    return [
        Shape(n, rows) for n in lengths_up_to(max_tokens) for rows in _doubling(budget // n, by=4)
    ]


def _doubling(most: int, by: int = 2) -> list[int]:
    rows = [1]
    while rows[-1] * by <= most:
        rows.append(rows[-1] * by)
    return rows


class ShapeTable:
    """The shapes that are compiled, asked for by the rows to be run."""

    def __init__(self, shapes: Iterable[Shape]) -> None:
        self.shapes = tuple(sorted(shapes))
        self.lengths = tuple(sorted({s.length for s in self.shapes}))
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
