"""Which dispatch is next. Pure: the worker holds the lock and tells the time.

Interactive texts go first, and bulk is owed a share of the tokens so spent. While interactive texts
come by, bulk runs in small dispatches. Every dispatch has the text in it that is first in its lane; of
what was planned with it, the rest goes back into the queue, where others may join it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calcgraph.calculators.engine.pack import Dispatch, fill_up, plan
from calcgraph.calculators.engine.queue import Job, Lane, Text, TextQueue
from calcgraph.calculators.engine.shapes import ShapeTable

BULK_SHARE = 1 / 3
"""Tokens owed to bulk for each token of interactive work that it waits for."""
INTERACTIVE_MEMORY_S = 1.0
"""After an interactive text, bulk dispatches stay small for so long: another may come."""
GAP = 1 / 16
"""A dispatch with more padding than this is filled from further back in the queue,"""
LOOK_AHEAD = 4
"""among as many budgets of texts."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A dispatch and its texts, row after row."""

    lane: Lane
    dispatch: Dispatch
    texts: Sequence[Text]


class Schedule:
    """Texts from the queue to their delivery."""

    def __init__(self, table: ShapeTable, *, budget: int, bulk_budget: int) -> None:
        self._table = table
        self._budget = budget
        self._bulk_budget = bulk_budget
        self._queue = TextQueue()
        self._alone: dict[Lane, deque[Text]] = {lane: deque() for lane in Lane}
        """Texts that are out and to be inferred once more, each with a row to itself."""
        self._out: dict[Text, None] = {}
        """Texts out of the queue and not delivered, in order: whatever fails, they are known."""
        self._owed = 0.0
        self._last_interactive = float("-inf")

    def put(self, job: Job, now: float) -> None:
        if job.lane is Lane.INTERACTIVE:
            self._last_interactive = now
        job.arrived = now
        self._queue.put(job)

    def discard(self, job: Job) -> None:
        """Forget the texts of a job that are in the queue still."""
        self._queue.discard(job)

    def tokens(self, lane: Lane) -> int:
        """Tokens in the queue."""
        return self._queue.tokens(lane)

    def waiting(self) -> dict[Lane, int]:
        """Texts in the queue."""
        return {lane: self._queue.texts(lane) for lane in Lane}

    def ages(self, now: float) -> dict[Lane, float]:
        """Seconds that the oldest job in the queue has waited; 0 for an empty lane."""
        return {
            lane: max((now - job.arrived for job in self._queue.jobs(lane)), default=0.0)
            for lane in Lane
        }

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take."""
        return not any(self._alone[lane] or self._queue.texts(lane) for lane in Lane)

    def lane(self) -> Lane | None:
        """Whose turn it is, None if nothing is to be done."""
        waits = [lane for lane in Lane if self._alone[lane] or self._queue.texts(lane)]
        if len(waits) < 2:
            self._owed = 0.0
            return waits[0] if waits else None
        return Lane.BULK if self._owed >= self._bulk_budget else Lane.INTERACTIVE

    def settled(self, lane: Lane, now: float) -> bool:
        """Whether a full batch waits, which no text that may yet come would better or want to pass."""
        limit = self._limit(lane, now)
        return limit == self._budget and self._queue.tokens(lane) >= limit

    def next(self, lane: Lane, now: float, share: int = 1) -> Planned | None:
        """Take the next dispatch of a lane, with the `share`th part of what waits at most."""
        if self._alone[lane]:
            planned = self._of_one(self._alone[lane].popleft())
        else:
            part = -(-self._queue.tokens(lane) // share)
            texts = self._take(lane, min(part, self._limit(lane, now)))
            if not texts:
                return None
            planned = self._of_many(lane, texts)
        tokens = planned.dispatch.shape.tokens
        self._owed += tokens * BULK_SHARE if lane is Lane.INTERACTIVE else -tokens
        return planned

    def _of_one(self, text: Text) -> Planned:
        shape = self._table.cover(1, self._table.fit(len(text.ids)))[0]
        return Planned(text.job.lane, Dispatch(shape, ((0,),)), [text])

    def _of_many(self, lane: Lane, texts: list[Text]) -> Planned:
        """The first of these texts, with those beside it that fit best; the others wait again."""
        lengths = [len(text.ids) for text in texts]
        dispatch = next(d for d in plan(lengths, self._table) if any(0 in row for row in d.rows))
        used = sum(lengths[i] for row in dispatch.rows for i in row)
        if used < (1 - GAP) * dispatch.shape.tokens:
            texts += self._take(lane, LOOK_AHEAD * self._budget)
            dispatch = fill_up(dispatch, [len(text.ids) for text in texts])
        chosen = [texts[i] for row in dispatch.rows for i in row]
        others = set(texts).difference(chosen)
        self._put_back([text for text in texts if text in others])
        return Planned(lane, dispatch, chosen)

    def _take(self, lane: Lane, budget: int) -> list[Text]:
        """Out they are from the moment they are taken, whatever fails before they are planned."""
        texts = self._queue.take(lane, budget)
        self._out.update(dict.fromkeys(texts))
        return texts

    def _put_back(self, texts: Sequence[Text]) -> None:
        self._queue.put_back(texts)
        for text in texts:
            del self._out[text]

    def again_alone(self, text: Text) -> None:
        """Infer a text that is out once more, with a row to itself."""
        self._alone[text.job.lane].append(text)

    def delivered(self, text: Text) -> None:
        self._out.pop(text, None)

    def out(self) -> list[Text]:
        """Texts out of the queue and not delivered."""
        return list(self._out)

    def call_in(self, lost: Iterable[Text]) -> None:
        """Put all texts that are out back into the queue, but those lost."""
        lost = dict.fromkeys(lost)
        self._queue.put_back([text for text in self._out if text not in lost])
        self._out.clear()
        for again in self._alone.values():
            again.clear()

    def drain(self) -> list[Job]:
        """Every job that has a text in the queue, removed."""
        return self._queue.drain()

    def _limit(self, lane: Lane, now: float) -> int:
        """Tokens of the next batch."""
        quiet = now - self._last_interactive > INTERACTIVE_MEMORY_S
        return self._budget if lane is Lane.INTERACTIVE or quiet else self._bulk_budget
