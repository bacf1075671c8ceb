"""Where calculators that are not light run: lanes of ready nodes, and the threads that serve them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from heapq import heappop, heappush
from threading import Lock, Thread
from typing import Any

Outcome = tuple[Any, ...]

_is_ending = False


def program_is_ending() -> bool:
    """The main thread is through and waits for the threads of pools."""
    return _is_ending


def _note_the_end() -> None:
    global _is_ending
    _is_ending = True


# As concurrent.futures does to wait for its threads; the last that registers is called first, so ours
# hear of the end before they are waited for. `atexit` would be too late.
threading._register_atexit(_note_the_end)  # type: ignore[attr-defined]


class Lane:
    """Ready work of one executor, best rank first.

    A thread takes the best rank when it comes free, not when the work became ready. `run` does the work
    of a rank, `deliver` hands in what came out, which may push more. The thread then looks again, so that
    a chain of nodes stays on one thread.
    """

    def __init__(self, run: Callable[[int], Outcome], deliver: Callable[[Outcome], None]) -> None:
        self._run = run
        self._deliver = deliver
        self._ranks: list[int] = []
        self._lock = Lock()
        self._looking = 0
        """How many threads are sure to look for a rank soon."""

    def push(self, rank: int) -> None:
        with self._lock:
            heappush(self._ranks, rank)
            enough = self._looking >= len(self._ranks)
            if not enough:
                self._looking += 1
        if not enough:
            self.call_thread()

    def call_thread(self) -> None:
        """Let some thread call `serve`."""
        raise NotImplementedError

    def serve(self) -> None:
        """Run jobs until there are none."""
        while True:
            with self._lock:
                self._looking -= 1
                if not self._ranks:
                    return
                rank = heappop(self._ranks)
            outcome = self._run(rank)
            with self._lock:
                self._looking += 1
            self._deliver(outcome)
            del outcome  # it holds packets, which are not to live until the next job


class PoolLane(Lane):
    """A lane served by an executor of `concurrent.futures`.

    If that is shut down under way, `refuse` gives what comes out of a rank that it will not run. From then
    on, which is for calculators that are to be closed, each call for a thread gets one of its own: no lock
    of the executor may be met again, since it tells us of its end while it holds one.
    """

    def __init__(
        self,
        run: Callable[[int], Outcome],
        deliver: Callable[[Outcome], None],
        refuse: Callable[[int], Outcome],
        pool: Callable[[], Executor],
    ) -> None:
        super().__init__(run, deliver)
        self._refuse = refuse
        self._pool = pool
        self._is_gone = False

    def call_thread(self) -> None:
        if self._is_gone:
            _call_in_a_thread(self.serve)
            return
        try:
            future = self._pool().submit(self.serve)
        except RuntimeError:  # it is shut down
            self._on_gone()
        else:
            future.add_done_callback(self._check)

    def _check(self, future: Future[None]) -> None:
        if future.cancelled():
            self._on_gone()

    def _on_gone(self) -> None:
        self._is_gone = True
        _call_in_a_thread(self._refuse_all)

    def _refuse_all(self) -> None:
        with self._lock:
            self._looking -= 1
            ranks: list[int] = []
            if not self._looking:  # else another thread is sure to come
                ranks, self._ranks = self._ranks, []
        for rank in ranks:
            self._deliver(self._refuse(rank))


def _call_in_a_thread(deed: Callable[[], None]) -> None:
    try:
        Thread(target=deed, name="calcgraph-rest", daemon=True).start()
    except RuntimeError:  # the interpreter is on its way out and starts none
        deed()


class ApplicationLane(Lane):
    """A lane served by those calls of the application that wait (ApplicationThreadExecutor)."""

    def __init__(
        self,
        run: Callable[[int], Outcome],
        deliver: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> None:
        super().__init__(run, deliver)
        self._wake = wake

    def push(self, rank: int) -> None:
        with self._lock:
            heappush(self._ranks, rank)
        self._wake()

    def serve_one(self) -> bool:
        """Run the best job; False when there is none."""
        with self._lock:
            if not self._ranks:
                return False
            rank = heappop(self._ranks)
        self._deliver(self._run(rank))
        return True


class Pools:
    """The thread pools of one graph object, made when first needed; they outlive its runs."""

    def __init__(self, sizes: dict[str, int], shared: Executor | None) -> None:
        self._sizes = sizes
        self._given: dict[str, Executor] = {"": shared} if shared is not None else {}
        self._own: dict[str, ThreadPoolExecutor] = {}
        self._lock = Lock()

    def give(self, name: str, executor: Executor) -> None:
        self._given[name] = executor

    def get(self, name: str) -> Executor:
        given = self._given.get(name)
        if given is not None:
            return given
        with self._lock:
            pool = self._own.get(name)
            if pool is None:
                size = self._sizes.get(name) or os.cpu_count() or 1
                pool = self._own[name] = ThreadPoolExecutor(
                    size, thread_name_prefix=f"calcgraph-{name or 'default'}"
                )
            return pool

    def close(self) -> None:
        """Let the threads go when their work is done. Does not wait; the next `get` makes a new pool."""
        with self._lock:
            own, self._own = self._own, {}
        for pool in own.values():
            pool.shutdown(wait=False)


class LoopThread:
    """An event loop in a thread of its own, for async nodes of a graph started without one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._main, name="calcgraph-loop", daemon=True)
        self._thread.start()

    @property
    def ident(self) -> int | None:
        return self._thread.ident

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    def stop(self) -> None:
        """End the thread once what is running on the loop's current turn is done. Does not wait."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
