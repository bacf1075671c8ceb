"""Named numbers that calculators count up; they belong to a graph and outlive its runs."""

from __future__ import annotations

from threading import Lock


class Counter:
    """Counts from any thread."""

    __slots__ = ("_lock", "_value", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._value = 0
        self._lock = Lock()

    def increment(self, by: int = 1) -> None:
        with self._lock:
            self._value += by

    def get(self) -> int:
        return self._value


class Counters:
    """All counters of one graph, by full name: "<node name>-<counter name>"."""

    def __init__(self) -> None:
        self._by_name: dict[str, Counter] = {}

    def get(self, name: str) -> Counter:
        """The counter of that name, made when it is first asked for."""
        counter = self._by_name.get(name)
        return counter or self._by_name.setdefault(name, Counter(name))

    def values(self) -> dict[str, int]:
        return {name: counter.get() for name, counter in sorted(self._by_name.items())}
