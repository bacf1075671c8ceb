"""Collecting mistakes, so that a graph's author hears of all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from calcgraph.runtime.errors import Code, GraphError, Location, Problem, common_code

_SHOWN: Final = 40
"""More than a screen helps nobody; mending these shows the rest."""


class Problems:
    """The mistakes found so far in one graph. The same mistake at the same place counts once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._code: Code | None = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, location: Location, message: str, code: Code = Code.INVALID_ARGUMENT) -> None:
        self._found[Problem(location, message, code)] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        self._found.update(dict.fromkeys(problems))

    def end_stage(self) -> None:
        """MediaPipe stops here if it found something: what is found later does not change the code."""
        if self._found and self._code is None:
            self._code = common_code(problem.code for problem in self._found)

    def in_order(self) -> list[Problem]:
        """File by file, line by line."""
        return sorted(
            self._found, key=lambda p: (p.location.file, p.location.line, p.location.column)
        )

    def raise_if_any(self) -> None:
        """Raises GraphError with everything that was found."""
        self.end_stage()
        found = self.in_order()
        if len(found) > _SHOWN:
            rest = f"and {len(found) - _SHOWN} more mistakes"
            found[_SHOWN:] = [Problem(found[_SHOWN].location, rest, found[_SHOWN].code)]
        if found:
            raise GraphError(found, self._code)
