"""Which request of a stream a packet answers, and when a request has all its answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from calcgraph.runtime.timestamp import UNSTARTED

_MOST_ENTRIES: Final = 1024
_MOST_LETTERS: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants to find again in its answers."""

    time: int
    id: str
    wants_final: bool


class StreamLedger:
    """The requests that may still be answered, by their time; those that want nothing are not kept.

    A request has all its answers when the graph rests, or once every output stream has come beyond it and
    beyond a later one: a graph that answers in a loop writes at later times than the request's.
    A graph that never says how far it has come makes the oldest be forgotten.
    """

    def __init__(self, outputs: Iterable[str]) -> None:
        self._settled: dict[str, int] = dict.fromkeys(outputs, UNSTARTED)
        self._asked: dict[int, Asked] = {}
        self._letters = 0

    def __len__(self) -> int:
        return len(self._asked)

    def note(self, time: int, id: str, wants_final: bool) -> None:
        """A request goes in. Of several at one time the last that has an id counts."""
        if not id and not wants_final:
            return
        earlier = self._asked.pop(time, None)
        if earlier is not None:
            self._letters -= len(earlier.id)
            id, wants_final = id or earlier.id, wants_final or earlier.wants_final
        self._asked[time] = Asked(time, id, wants_final)
        self._letters += len(id)
        while len(self._asked) > _MOST_ENTRIES or (
            self._letters > _MOST_LETTERS and len(self._asked) > 1
        ):
            self._forget(next(iter(self._asked)))

    def at(self, time: int) -> Asked | None:
        """The request whose packets have this time."""
        return self._asked.get(time)

    def settle(self, stream: str, time: int) -> None:
        """An output stream was read up to this time."""
        self._settled[stream] = max(self._settled[stream], time)

    def answered(self, *, at_rest: bool) -> list[Asked]:
        """Takes out the requests that get nothing more. `at_rest`: nor does any other."""
        if not self._asked:
            return []
        over = sorted(self._asked)
        if not at_rest:
            settled = min(self._settled.values())
            over = [time for time in over if time <= settled][:-1]
        return [self._forget(time) for time in over]

    def _forget(self, time: int) -> Asked:
        asked = self._asked.pop(time)
        self._letters -= len(asked.id)
        return asked
