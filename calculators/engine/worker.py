"""The thread that infers: choose a lane, plan, fill, start, deliver.

While a dispatch runs the next is laid out, if it is known: rows left of the plan, or a whole budget
of texts that waits. Fewer texts stay in the queue, where others may still join them.

Interactive texts go first, even before bulk that is laid out already, and bulk is owed a share of
the tokens so spent. While interactive texts come by, bulk runs in small dispatches.
"""

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from calcgraph.calculators.engine.compiled import Request, Vectors
from calcgraph.calculators.engine.errors import EngineClosed, InferenceFailed, NotFinite
from calcgraph.calculators.engine.pack import Dispatch, plan
from calcgraph.calculators.engine.programs import Programs
from calcgraph.calculators.engine.queue import Job, Lane, Text, TextQueue
from calcgraph.calculators.engine.settle import Outcome, settle

log = logging.getLogger("calcgraph.engine")

REBUILD_PAUSE_S = 1.0
EXIT_TIMEOUT_S = 1.0
BULK_SHARE = 1 / 3
"""Tokens owed to bulk for each token of interactive work that it waits for."""
INTERACTIVE_MEMORY_S = 1.0
"""After an interactive text, bulk batches stay small for so long: another may come."""


@dataclass(slots=True)
class Counts:
    """What was done so far. `slots` are tokens inferred, padding included."""

    texts: int = 0
    tokens: int = 0
    slots: int = 0
    dispatches: int = 0
    failed_texts: int = 0
    rebuilds: int = 0


@dataclass(frozen=True, slots=True)
class Flight:
    """A dispatch with its texts laid out in a request."""

    lane: Lane
    texts: Sequence[Text]
    request: Request


@dataclass(frozen=True, slots=True)
class Planned:
    dispatch: Dispatch
    texts: Sequence[Text]


class Worker:
    """Owns the queue, the programs and the thread."""

    def __init__(self, programs: Programs, *, budget: int, bulk_budget: int, parallel: int) -> None:
        self.programs = programs
        self.counts = Counts()
        self.ready = True
        self._budget = budget
        self._bulk_budget = bulk_budget
        self._parallel = parallel
        self._queue = TextQueue()
        self._changed = threading.Condition()
        self._closing = False
        self._last_interactive = -INTERACTIVE_MEMORY_S
        self._out: dict[Text, None] = {}
        """Texts out of the queue and not delivered, in order: whatever fails, they are known."""
        self._planned: dict[Lane, deque[Planned]] = {lane: deque() for lane in Lane}
        self._owed = 0.0
        self._ahead: Flight | None = None
        self._running: deque[Flight] = deque()
        self._suspect: Flight | None = None
        """The flight that is being started or waited for."""
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)
        self._thread.start()
        # A thread that is inside OpenVINO when the interpreter goes takes the process down.
        atexit.register(self.close, EXIT_TIMEOUT_S)

    # Called from any thread

    def put(self, job: Job) -> None:
        """Raises EngineClosed."""
        with self._changed:
            if self._closing:
                raise EngineClosed()
            if job.lane is Lane.INTERACTIVE:
                self._last_interactive = time.monotonic()
            self._queue.put(job)
            self._changed.notify()

    def discard(self, job: Job) -> None:
        with self._changed:
            self._queue.discard(job)

    def waiting(self) -> dict[Lane, int]:
        """Texts that wait, in each lane."""
        with self._changed:
            return {lane: self._queue.texts(lane) for lane in Lane}

    def close(self, timeout: float) -> None:
        """Infer what waits, for at most `timeout` seconds; what is left then fails."""
        atexit.unregister(self.close)
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._fail_waiting(EngineClosed())
            self._thread.join(timeout)
            with self._changed:
                stuck = list(self._out)
            self._fail_texts(stuck, EngineClosed())
        self.ready = False
        self.programs.close()

    # The thread

    def _live(self) -> None:
        """Work until closed. An error nobody foresaw fails the texts at hand, not the engine."""
        while True:
            try:
                self._work()
                return
            except Exception as error:
                log.exception("the engine's thread failed, starting again")
                failure = InferenceFailed(f"the engine failed: {error!r}")
                self._fail_texts(self._call_in(), failure)
                self._rebuild()

    def _work(self) -> None:
        while True:
            try:
                if not self._turn():
                    return
            except InferenceFailed as error:
                self._recover(error)

    def _turn(self) -> bool:
        """Bring one flight home, or wait for texts; False when there will be no more."""
        self._launch()
        if not self._running:
            return self._wait_for_texts()
        self._look_ahead()
        flight = self._suspect = self._running[0]
        vectors = flight.request.wait()
        self._running.popleft()
        self.programs.release(flight.request)
        try:
            self._launch()  # first work for the device, then news for those who wait
        finally:
            self._deliver(flight, vectors)
        return True

    def _wait_for_texts(self) -> bool:
        """False when there will be no more."""
        with self._changed:
            while not any(self._queue.texts(lane) for lane in Lane):
                if self._closing:
                    return False
                self._changed.wait()
        return True

    def _launch(self) -> None:
        """Start what can run now."""
        while len(self._running) < self._parallel:
            lane = self._next_lane()
            if self._ahead and self._ahead.lane is lane:
                flight, self._ahead = self._ahead, None
            else:
                flight = self._prepare(lane) if lane else None
            if flight is None:
                return
            self._running.append(flight)
            self._suspect = flight
            flight.request.start()
            self.counts.dispatches += 1
            self.counts.slots += flight.request.shape.tokens

    def _next_lane(self) -> Lane | None:
        """The lane whose turn it is, if there is anything to do."""
        waits = [lane for lane in Lane if self._waits(lane)]
        if len(waits) < 2:
            self._owed = 0.0
            return waits[0] if waits else None
        return Lane.BULK if self._owed >= self._bulk_budget else Lane.INTERACTIVE

    def _waits(self, lane: Lane) -> bool:
        ahead = self._ahead is not None and self._ahead.lane is lane
        return ahead or bool(self._planned[lane]) or self._queue.texts(lane) > 0

    def _look_ahead(self) -> None:
        lane = self._next_lane()
        if self._ahead is None and lane is not None:
            full = self._queue.tokens(lane) >= self._budget_of(lane)
            if full or self._planned[lane]:
                self._ahead = self._prepare(lane)

    def _prepare(self, lane: Lane) -> Flight | None:
        """Lay out the next dispatch of a lane; None if its texts were discarded meanwhile."""
        if not self._planned[lane]:
            self._plan(lane)
        if not self._planned[lane]:
            return None
        planned = self._planned[lane].popleft()
        shape = planned.dispatch.shape
        self._owed += shape.tokens * (BULK_SHARE if lane is Lane.INTERACTIVE else -1)
        request = self.programs.request(shape)
        ids = (text.ids for text in planned.texts)
        request.fill([[next(ids) for _ in row] for row in planned.dispatch.rows])
        return Flight(lane, planned.texts, request)

    def _plan(self, lane: Lane) -> None:
        with self._changed:
            texts = self._queue.take(lane, self._budget_of(lane))
            self._out.update(dict.fromkeys(texts))
        lengths = [len(text.ids) for text in texts]
        for dispatch in plan(lengths, self.programs.table) if texts else ():
            rows = [texts[i] for row in dispatch.rows for i in row]
            self._planned[lane].append(Planned(dispatch, rows))

    def _budget_of(self, lane: Lane) -> int:
        quiet = time.monotonic() - self._last_interactive > INTERACTIVE_MEMORY_S
        return self._budget if lane is Lane.INTERACTIVE or quiet else self._bulk_budget

    def _deliver(self, flight: Flight, vectors: Vectors) -> None:
        over: list[Outcome] = []
        guilty: list[Text] = []
        with self._changed:
            for text, vector, finite in zip(flight.texts, vectors, _finite(vectors), strict=True):
                if not finite:
                    guilty.append(text)
                    continue
                del self._out[text]
                job = text.job
                job.result[text.index] = vector
                job.left -= 1
                self.counts.tokens += len(text.ids)
                if not job.left:
                    over.append(Outcome(job))
            self.counts.texts += len(flight.texts) - len(guilty)
        settle(over)
        for text in guilty:
            self._retry_or_fail(text, alone=len(flight.texts) == 1)

    def _retry_or_fail(self, text: Text, *, alone: bool) -> None:
        """NaN spreads to the neighbours in a row: a text is guilty only if it gives NaN alone."""
        if alone:
            del self._out[text]
            self._fail_texts([text], NotFinite(text.index))
            return
        table = self.programs.table
        shape = table.cover(1, table.fit(len(text.ids)))[0]
        self._planned[text.job.lane].append(Planned(Dispatch(shape, ((0,),)), [text]))

    # Failure

    def _recover(self, error: InferenceFailed) -> None:
        """Fail the texts of the suspect; a stream may answer with another text's vector after an
        error, so everything else is inferred anew on newly compiled programs."""
        failed = dict.fromkeys(self._suspect.texts if self._suspect else ())
        log.error("an inference of %d texts failed: %s", len(failed), error)
        others = [text for text in self._call_in() if text not in failed]
        with self._changed:
            self._queue.put_back(others)
        self._fail_texts(failed, error)
        self._rebuild()

    def _call_in(self) -> list[Text]:
        """Take back all texts that are out."""
        texts = list(self._out)
        self._out.clear()
        self._running.clear()
        for planned in self._planned.values():
            planned.clear()
        self._ahead = None
        return texts

    def _fail_texts(self, texts: Iterable[Text], error: Exception) -> None:
        """Fail the requests these texts are of."""
        self._fail_jobs({text.job for text in texts}, error)

    def _fail_waiting(self, error: Exception) -> None:
        """Fail every request that has a text in the queue."""
        with self._changed:
            jobs = self._queue.drain()
        self._fail_jobs(jobs, error)

    def _fail_jobs(self, jobs: Iterable[Job], error: Exception) -> None:
        with self._changed:
            unfinished = [job for job in jobs if job.left > 0]
            for job in unfinished:
                self._queue.discard(job)
                self.counts.failed_texts += job.left
                job.left = -1  # its texts still out come too late
        settle(Outcome(job, error) for job in unfinished)

    def _rebuild(self) -> None:
        """Compile anew. As long as that fails, so does every text, and the engine is not ready."""
        self.ready = False
        self.counts.rebuilds += 1
        while True:
            try:
                self.programs.build()
                break
            except RuntimeError as error:
                log.exception("the model does not compile any more")
                self._fail_waiting(InferenceFailed(f"the model does not compile: {error}"))
                with self._changed:
                    if self._closing:
                        return
                    self._changed.wait(REBUILD_PAUSE_S)
        self.ready = True


def _finite(vectors: Vectors) -> Sequence[bool]:
    """Of each text, whether all its numbers are finite."""
    if isinstance(vectors, np.ndarray) and np.isfinite(vectors).all():
        return [True] * len(vectors)
    return [bool(np.isfinite(vector).all()) for vector in vectors]
