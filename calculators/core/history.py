"""What a setting was at any time, as far back as anybody may still ask."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class History(Generic[T]):
    """Values, each in force from its own time until the next one's."""

    def __init__(self, time: int, value: T) -> None:
        self._times = [time]
        self._values = [value]

    def note(self, time: int, value: T) -> None:
        """From `time` on it is `value`. Times rise."""
        if self._times[-1] == time:
            self._values[-1] = value
        else:
            self._times.append(time)
            self._values.append(value)

    def at(self, time: int) -> T:
        return self._values[max(bisect_right(self._times, time) - 1, 0)]

    def forget_before(self, time: int) -> None:
        """Nobody will ask for an earlier time any more."""
        old = bisect_right(self._times, time) - 1
        if old > 0:
            del self._times[:old]
            del self._values[:old]

    def spans(self, end: int) -> Iterator[tuple[int, int, T]]:
        """(first time, time after the last, value), the earliest first; the latest lasts to `end`."""
        yield from zip(self._times, [*self._times[1:], end], self._values, strict=True)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def latest(self) -> int:
        """The time from which the present value is in force."""
        return self._times[-1]
