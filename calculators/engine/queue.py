"""The queue of texts: two lanes, fair between clients. Pure: the engine holds the lock.

Interactive texts go first. While both lanes wait, bulk gets a fixed share of the tokens, so neither
starves. Within a lane clients take turns, a text each. Who does not say who he is shares one turn
with the likes of him in the interactive lane (first come, first served), and in the bulk lane has a
turn of his own for each request.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

BULK_SHARE = 1 / 3
"""Tokens of bulk for each token of interactive work, while both wait."""


class Lane(Enum):
    """How urgent a request is."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Job:
    """A request of texts: which of them wait, and where their results go."""

    __slots__ = ("client", "lane", "left", "result", "sequences", "settle", "waiting")

    def __init__(
        self, sequences: Sequence[np.ndarray], lane: Lane, client: Hashable, settle: Any = None
    ) -> None:
        self.sequences = sequences
        self.lane = lane
        self.client = client
        self.settle = settle
        self.result: Any = None
        self.waiting = deque(range(len(sequences)))
        self.left = len(sequences)


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a job."""

    job: Job
    index: int

    @property
    def ids(self) -> np.ndarray:
        return self.job.sequences[self.index]


class TextQueue:
    """Texts in the order in which they are to be inferred."""

    def __init__(self) -> None:
        self._lanes = {lane: _Turns() for lane in Lane}
        self._owed = 0.0

    @property
    def tokens(self) -> int:
        """Tokens that wait, in both lanes."""
        return sum(lane.tokens for lane in self._lanes.values())

    @property
    def texts(self) -> int:
        return sum(lane.texts for lane in self._lanes.values())

    def texts_in(self, lane: Lane) -> int:
        return self._lanes[lane].texts

    def put(self, job: Job) -> None:
        self._lanes[job.lane].put(job)

    def put_back(self, texts: Sequence[Text]) -> None:
        """Texts taken and not inferred after all wait first again, in the order given."""
        for text in reversed(texts):
            self._lanes[text.job.lane].put_back(text)

    def discard(self, job: Job) -> None:
        """Forget a job's waiting texts; nobody else's."""
        self._lanes[job.lane].discard(job)

    def take(self, budget: int, bulk_budget: int | None = None) -> list[Text]:
        """The next texts, of at most `budget` tokens together; at least one if any waits.

        `bulk_budget` is the budget when only bulk waits.
        """
        urgent, bulk = self._lanes[Lane.INTERACTIVE], self._lanes[Lane.BULK]
        if not urgent.texts:
            self._owed = 0.0
            return list(bulk.take(bulk_budget or budget))
        if not bulk.texts:
            return list(urgent.take(budget))
        texts = list(urgent.take(int(budget / (1 + BULK_SHARE))))
        self._owed += BULK_SHARE * sum(len(t.ids) for t in texts)
        for text in bulk.take(int(self._owed), at_least_one=False):
            self._owed -= len(text.ids)
            texts.append(text)
        return texts

    def drain(self) -> list[Job]:
        """Every waiting job, removed."""
        return [job for lane in self._lanes.values() for job in lane.drain()]


class _Turns:
    """One lane: clients take turns, a client's own jobs are served in order."""

    def __init__(self) -> None:
        self._clients: OrderedDict[Hashable, deque[Job]] = OrderedDict()
        self.tokens = 0
        self.texts = 0

    def put(self, job: Job) -> None:
        self._clients.setdefault(job.client, deque()).append(job)
        self._count(job, +1)

    def put_back(self, text: Text) -> None:
        job = text.job
        jobs = self._clients.setdefault(job.client, deque())
        if job not in jobs:
            jobs.appendleft(job)
        job.waiting.appendleft(text.index)
        self._clients.move_to_end(job.client, last=False)
        self.tokens += len(text.ids)
        self.texts += 1

    def discard(self, job: Job) -> None:
        jobs = self._clients.get(job.client)
        if jobs is None or job not in jobs:
            return
        self._count(job, -1)
        job.waiting.clear()
        jobs.remove(job)
        if not jobs:
            del self._clients[job.client]

    def take(self, budget: int, *, at_least_one: bool = True) -> Iterator[Text]:
        while self._clients:
            client, jobs = next(iter(self._clients.items()))
            job = jobs[0]
            text = Text(job, job.waiting[0])
            tokens = len(text.ids)
            if tokens > budget and not at_least_one:
                return
            at_least_one = False
            budget -= tokens
            self._advance(client, jobs)
            self.tokens -= tokens
            self.texts -= 1
            yield text

    def _advance(self, client: Hashable, jobs: deque[Job]) -> None:
        jobs[0].waiting.popleft()
        if not jobs[0].waiting:
            jobs.popleft()
        if jobs:
            self._clients.move_to_end(client)
        else:
            del self._clients[client]

    def drain(self) -> Iterator[Job]:
        for jobs in self._clients.values():
            yield from jobs
        self._clients.clear()
        self.tokens = self.texts = 0

    def _count(self, job: Job, sign: int) -> None:
        self.texts += sign * len(job.waiting)
        self.tokens += sign * sum(len(job.sequences[i]) for i in job.waiting)
