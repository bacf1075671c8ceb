"""The queue of texts: two lanes, in each of which clients take turns. Pure: the engine holds the lock.

A turn is one text. Who does not say who he is shares a turn with the likes of him in the interactive
lane (first come, first served), and has one for each of his requests if it is bulk or large. A client's
own requests are served in order in the interactive lane, and take turns too in the bulk lane, since
many who know nothing of each other may share one key. Which lane is next is the worker's decision.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from calcgraph.runtime.request_trace import Batch


class Lane(Enum):
    """How urgent a request is."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Job:
    """A request of texts: which of them wait, and where their results go."""

    __slots__ = (
        "arrived",
        "batches",
        "begun",
        "client",
        "lane",
        "left",
        "result",
        "sequences",
        "tokens",
        "waiter",
        "waiting",
    )

    def __init__(
        self, sequences: Sequence[np.ndarray], lane: Lane, client: Hashable, waiter: Any = None
    ) -> None:
        self.sequences = sequences
        self.lane = lane
        self.client = client
        self.waiter = waiter
        self.result: Any = None
        self.waiting = deque(range(len(sequences)))
        self.left = len(sequences)
        self.tokens = sum(map(len, sequences))
        self.arrived = 0.0
        """When it was put into the queue, in seconds of the worker's clock."""
        self.batches: list[Batch] | None = None
        """Where to note which inferences its texts are in, for a request that is traced."""
        self.begun = False
        """One of its texts at least is or was inferred."""


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
        self._lanes = {lane: _Turns(rotate=lane is Lane.BULK) for lane in Lane}

    def tokens(self, lane: Lane) -> int:
        """Tokens that wait."""
        return self._lanes[lane].tokens

    def texts(self, lane: Lane) -> int:
        """Texts that wait."""
        return self._lanes[lane].texts

    def jobs(self, lane: Lane) -> Iterator[Job]:
        """Those with a text that waits."""
        return self._lanes[lane].jobs()

    def put(self, job: Job) -> None:
        self._lanes[job.lane].put(job)

    def put_back(self, texts: Sequence[Text]) -> None:
        """Texts taken and not inferred after all wait first again, in the order given."""
        for text in reversed(texts):
            self._lanes[text.job.lane].put_back(text)

    def discard(self, job: Job) -> None:
        """Forget a job's waiting texts; nobody else's."""
        self._lanes[job.lane].discard(job)

    def take(self, lane: Lane, budget: int) -> list[Text]:
        """The next texts of a lane, of at most `budget` tokens together; at least one if any waits."""
        return list(self._lanes[lane].take(budget))

    def drain(self) -> list[Job]:
        """Every waiting job, removed."""
        return [job for lane in self._lanes.values() for job in lane.drain()]


class _Turns:
    """One lane: clients take turns; a client's own jobs are served in order, or `rotate`."""

    def __init__(self, *, rotate: bool) -> None:
        self._rotate = rotate
        self._clients: OrderedDict[Hashable, deque[Job]] = OrderedDict()
        self.tokens = 0
        self.texts = 0

    def put(self, job: Job) -> None:
        self._clients.setdefault(job.client, deque()).append(job)
        self.texts += len(job.sequences)
        self.tokens += job.tokens

    def put_back(self, text: Text) -> None:
        job = text.job
        jobs = self._clients.setdefault(job.client, deque())
        if job in jobs:
            jobs.remove(job)
        jobs.appendleft(job)
        job.waiting.appendleft(text.index)
        self._clients.move_to_end(job.client, last=False)
        self.tokens += len(text.ids)
        self.texts += 1

    def discard(self, job: Job) -> None:
        jobs = self._clients.get(job.client)
        if jobs is None or job not in jobs:
            return
        self.texts -= len(job.waiting)
        self.tokens -= sum(len(job.sequences[i]) for i in job.waiting)
        job.waiting.clear()
        jobs.remove(job)
        if not jobs:
            del self._clients[job.client]

    def take(self, budget: int) -> Iterator[Text]:
        first = True
        while self._clients:
            client, jobs = next(iter(self._clients.items()))
            text = Text(jobs[0], jobs[0].waiting[0])
            tokens = len(text.ids)
            if tokens > budget and not first:
                return
            first = False
            budget -= tokens
            self._advance(client, jobs)
            self.tokens -= tokens
            self.texts -= 1
            yield text

    def _advance(self, client: Hashable, jobs: deque[Job]) -> None:
        jobs[0].waiting.popleft()
        if not jobs[0].waiting:
            jobs.popleft()
        elif self._rotate:
            jobs.rotate(-1)
        if jobs:
            self._clients.move_to_end(client)
        else:
            del self._clients[client]

    def jobs(self) -> Iterator[Job]:
        for jobs in self._clients.values():
            yield from jobs

    def drain(self) -> Iterator[Job]:
        yield from self.jobs()
        self._clients.clear()
        self.tokens = self.texts = 0
