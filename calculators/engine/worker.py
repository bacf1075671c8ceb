"""The thread that infers: take the next dispatch, fill, start, wait, deliver; and mend what breaks.

Dispatches run side by side, one thread each, and share what waits; what fits one dispatch gets all threads. While
as many run as can, OpenVINO is given one more if it is settled, that is, if a whole budget of texts waits:
it begins when a thread is free, and need not wait for Python. Fewer texts stay in the queue, where others
may still join them.
"""

import atexit
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from calcgraph.calculators.engine.admission import Admission
from calcgraph.calculators.engine.compiled import INFERENCE_LIMIT_S, Request, Vectors
from calcgraph.calculators.engine.counts import Counts
from calcgraph.calculators.engine.errors import EngineClosed, InferenceFailed, NotFinite
from calcgraph.calculators.engine.landings import Landings
from calcgraph.calculators.engine.pace import Pace
from calcgraph.calculators.engine.programs import Programs
from calcgraph.calculators.engine.queue import Job, Lane, Text
from calcgraph.calculators.engine.schedule import Schedule
from calcgraph.calculators.engine.settle import Outcome, settle
from calcgraph.runtime.calls import nanoseconds
from calcgraph.runtime.request_trace import Batch

log = logging.getLogger("calcgraph.engine")

REBUILD_PAUSE_S = 1.0
BUSY_TOKENS = 1024
"""Only with so many in the queue the pace is measured."""
LOOK_S = 0.05
"""How often running inferences are looked after, since OpenVINO does not tell of those that fail."""
EXIT_TIMEOUT_S = 1.0


@dataclass(slots=True, eq=False)
class Flight:
    """A dispatch whose texts are laid out in a request."""

    texts: Sequence[Text]
    request: Request
    alone: bool
    """On all threads, with nothing beside it."""
    batch: Batch | None = None
    """What is told of it to requests that are traced, if it holds texts of any."""


class Worker:
    """Owns the schedule, the programs and the thread."""

    def __init__(self, programs: Programs, budget: int, bulk_budget: int, parallel: int) -> None:
        """`parallel` inferences run at a time; the rest is as for Schedule."""
        self.programs = programs
        self.counts = Counts()
        self._mended = True
        """False while the programs are compiled anew."""
        self._schedule = Schedule(programs.table, budget=budget, bulk_budget=bulk_budget)
        self._budget = budget
        self._pace = Pace()
        self.admission = Admission(self._schedule, self._pace)
        self._landings = Landings()
        self._changed = self._landings.changed
        """Guards the schedule and the jobs in it."""
        self._closing = False
        self.parallel = parallel
        self._running: dict[int, Flight] = {}
        """By the number of the request, oldest first; one more than run, perhaps."""
        self._room = 0
        """How many more may run. Texts that come while there is none wake nobody."""
        self._hanging: list[Flight] = []
        """Given up; to drop such a request would be to wait for it."""
        self._suspect: Flight | None = None
        """The flight that is being started or waited for."""
        self._thread = self._start_thread()
        # A thread that is inside OpenVINO when the interpreter goes takes the process down.
        atexit.register(self.close, EXIT_TIMEOUT_S)

    # Called from any thread

    @property
    def ready(self) -> bool:
        return self._mended and not self._closing and self._thread.is_alive()

    @property
    def running(self) -> int:
        """Inferences under way."""
        return len(self._running)

    def put(self, job: Job) -> None:
        """Raises EngineClosed."""
        with self._changed:
            if self._closing:
                raise EngineClosed()
            self._schedule.put(job, time.monotonic())
            if self._room:
                self._changed.notify()

    def discard(self, job: Job) -> None:
        with self._changed:
            self._schedule.discard(job)

    def waiting(self) -> dict[Lane, int]:
        """Texts in the queue."""
        with self._changed:
            return self._schedule.waiting()

    def ages(self) -> dict[Lane, float]:
        """Seconds that the oldest request in the queue has waited; 0 for an empty lane."""
        with self._changed:
            return self._schedule.ages(time.monotonic())

    def close(self, timeout: float) -> None:
        """Infer what waits, for at most `timeout` seconds; what is left then fails."""
        atexit.unregister(self.close)
        with self._changed:
            self._closing = True
            self._changed.notify()
        ended = self._join(timeout)
        self._fail_waiting(EngineClosed())
        if not ended:
            self._join(timeout)
        with self._changed:
            stuck = self._schedule.out()
        self._fail((text.job for text in stuck), error=EngineClosed())
        self.programs.close()

    def _join(self, timeout: float) -> bool:
        """Wait for the thread, and whoever takes over from it; whether it ended."""
        end = time.monotonic() + timeout
        while (thread := self._thread).is_alive() and (left := end - time.monotonic()) > 0:
            thread.join(left)
        return not thread.is_alive()

    # The thread

    def _start_thread(self, failure: BaseException | None = None) -> threading.Thread:
        thread = threading.Thread(target=self._live, args=(failure,), name="engine", daemon=True)
        thread.start()
        return thread

    def _live(self, failure: BaseException | None) -> None:
        """Work until closed. An error nobody foresaw fails the texts at hand, not the engine.

        Another thread goes on from there, so that an error while mending is met like any other.
        """
        try:
            if failure is not None:
                with self._changed:
                    lost = self._schedule.out()
                self._recover(lost, InferenceFailed(f"the engine failed: {failure!r}"))
            self._work()
        except BaseException as error:
            log.exception("the engine's thread failed, another takes over")
            if failure is not None:
                self._pause()
            with self._changed:
                if not (self._closing and failure is not None):
                    self._thread = self._start_thread(error)

    def _work(self) -> None:
        while True:
            try:
                if not self._turn():
                    return
            except InferenceFailed as error:
                lost = self._suspect.texts if self._suspect else ()
                log.error("an inference of %d texts failed: %s", len(lost), error)
                self._recover(lost, error)

    def _turn(self) -> bool:
        """Bring one flight home, or wait for news; False when there will be none any more."""
        self._launch()
        flight = self._wait()
        if flight is None:
            return not self._over()
        self._suspect = flight
        vectors = flight.request.wait()
        now = time.perf_counter()
        self.counts.inference.add(now - flight.request.started)
        if flight.batch is not None:
            flight.batch.finish = nanoseconds()
        self._pace.delivered(
            sum(len(text.ids) for text in flight.texts),
            flight.request.started,
            now,
            busy=sum(map(self._schedule.tokens, Lane)) >= BUSY_TOKENS,
        )
        del self._running[flight.request.number]
        self.programs.release(flight.request)
        for begun in list(self._running.values())[self.parallel - 1 :]:
            begun.request.started = now  # so far it waited for a thread
        try:
            self._launch()  # first work for the device, then news for those who wait
        finally:
            self._deliver(flight, vectors)
        return True

    def _wait(self) -> Flight | None:
        """The next flight to land; None as soon as there is something to launch, or an end."""
        first = next(iter(self._running.values()), None)
        if first and not self._overtaken(first):
            return first
        with self._changed:
            while True:
                while (number := self._landings.pop()) is not None:
                    if number in self._running:
                        return self._running[number]
                if (self._room and not self._schedule.empty) or self._over():
                    return None
                if not self._changed.wait(LOOK_S if self._running else None):
                    for flight in self._running.values():
                        if flight.request.ended() or flight.request.overdue:
                            return flight

    def _overtaken(self, flight: Flight) -> bool:
        """Whether another may land before it. If none can, there is no need to be told when it has."""
        return self.parallel > 1 and not flight.alone

    def _over(self) -> bool:
        """Whether nothing is left to do, nor will be."""
        return self._closing and not self._running and self._schedule.empty

    def _launch(self) -> None:
        """Start what can run now, and the one that comes after."""
        while (room := self._free_threads()) >= 0:
            flight = self._next(room)
            if flight is None:
                return
            self._running[flight.request.number] = flight
            self._suspect = flight
            flight.request.start()
            self._count(flight)

    def _free_threads(self) -> int:
        """How many more dispatches can run; -1 when not even one may wait for a thread."""
        if any(flight.alone for flight in self._running.values()):
            self._room = 0
            return -1
        free = self.parallel - len(self._running)
        self._room = max(0, free)
        return free

    def _count(self, flight: Flight) -> None:
        now, tokens, traced = time.monotonic(), 0, False
        for text in flight.texts:
            tokens += len(text.ids)
            self.counts.waited(text.job, now)
            traced |= text.job.batches is not None
        slots = flight.request.shape.tokens
        self.counts.launched(tokens, slots)
        if traced:
            flight.batch = Batch(nanoseconds(), len(flight.texts), tokens, slots)
            for job in dict.fromkeys(text.job for text in flight.texts):
                if job.batches is not None:
                    job.batches.append(flight.batch)

    def _next(self, room: int) -> Flight | None:
        """The next flight, for one of `room` free threads or to wait for one."""
        with self._changed:
            now = time.monotonic()
            lane = self._schedule.lane()
            if lane is None or (not room and not self._schedule.settled(lane, now)):
                return None
            alone = self._few_wait()
            planned = self._schedule.next(lane, now, share=1 if alone else max(1, room))
        if planned is None:
            return None
        request = self.programs.request(planned.dispatch.shape, alone=alone)
        ids = (text.ids for text in planned.texts)
        request.fill([[next(ids) for _ in row] for row in planned.dispatch.rows])
        flight = Flight(planned.texts, request, alone)
        if self._overtaken(flight):
            request.call_when_done(self._landings.add)
        return flight

    def _few_wait(self) -> bool:
        """Whether all that is here fits one dispatch, or threads would be idle if each text had its own:
        all threads together then bring it home soonest."""
        if self._running or self.programs.streams == 1:
            return False
        if sum(map(self._schedule.tokens, Lane)) <= self._budget:
            return True
        return 2 * sum(self._schedule.waiting().values()) <= self.programs.streams

    def _deliver(self, flight: Flight, vectors: Vectors) -> None:
        over: list[Outcome] = []
        guilty: list[Job] = []
        try:
            with self._changed:
                finite = _finite(vectors)
                for text, vector, sound in zip(flight.texts, vectors, finite, strict=True):
                    if sound:
                        self._write(text, vector, over)
                    elif len(flight.texts) == 1:
                        guilty.append(text.job)
                    else:  # NaN spreads in a row: a text is guilty only if it gives NaN alone
                        self._schedule.again_alone(text)
                        continue
                    self._schedule.delivered(text)
        finally:
            settle(over)
        if guilty:
            self._fail(guilty, error=NotFinite(flight.texts[0].index))

    def _write(self, text: Text, vector: np.ndarray, over: list[Outcome]) -> None:
        """Write a text's result, and add its job to those that are over if that was the last."""
        job = text.job
        job.result[text.index] = vector
        job.left -= 1
        self.counts.texts[job.lane] += 1
        self.counts.tokens += len(text.ids)
        if not job.left:
            over.append(Outcome(job))

    # Failure

    def _recover(self, lost: Sequence[Text], error: Exception) -> None:
        """Fail the texts lost. A stream may answer with another text's vector after an error, so all
        others that are out are inferred anew, on newly compiled programs."""
        self._mended = False
        flights = list(self._running.values())
        self._hanging += [f for f in flights if not f.request.ended(INFERENCE_LIMIT_S)]
        self._running.clear()
        self._suspect = None
        with self._changed:
            self._schedule.call_in(lost)
        self._fail((text.job for text in lost), error=error)
        self._rebuild()

    def _fail_waiting(self, error: Exception) -> None:
        """Fail every request that has a text in the queue."""
        with self._changed:
            jobs = self._schedule.drain()
        self._fail(jobs, error=error)

    def _fail(self, jobs: Iterable[Job], *, error: Exception) -> None:
        with self._changed:
            unfinished = [job for job in dict.fromkeys(jobs) if job.left > 0]
            for job in unfinished:
                self._schedule.discard(job)
                self.counts.failed_texts += job.left
                job.left = -1  # its texts still out come too late
        settle(Outcome(job, error) for job in unfinished)

    def _rebuild(self) -> None:
        """Compile anew. As long as that fails, so does every text, and the engine is not ready."""
        self.counts.rebuilds += 1
        while not self._built():
            if self._pause():
                return
        self._mended = True

    def _pause(self) -> bool:
        """Before another try; True when there is none, for the engine closes."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closing, REBUILD_PAUSE_S)

    def _built(self) -> bool:
        try:
            self.programs.build()
        except Exception as error:
            log.exception("the model does not compile any more")
            self._fail_waiting(InferenceFailed(f"the model does not compile: {error}"))
            return False
        return True


def _finite(vectors: Vectors) -> Sequence[bool]:
    """Of each text, whether all its numbers are finite."""
    if isinstance(vectors, np.ndarray) and np.isfinite(vectors).all():
        return [True] * len(vectors)
    return [bool(np.isfinite(vector).all()) for vector in vectors]
