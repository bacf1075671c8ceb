"""The async calls of one run: tasks of the event loop that the run belongs to, or of one of its own."""

from __future__ import annotations

import asyncio
from asyncio import _get_running_loop
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from threading import get_ident
from typing import Any

from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.executors import LoopThread

Returned = Callable[[CalculatorContext, Any, BaseException | None], None]
"""Where a call's result goes, under the baton."""


class Tasks:
    """Made where the run is started: if that is within a running loop, the run belongs to it."""

    def __init__(
        self, deliver: Callable[[Returned, CalculatorContext, Any, BaseException | None], None]
    ) -> None:
        self._deliver = deliver
        self.loop = _get_running_loop()
        self._thread = get_ident()
        self._own: LoopThread | None = None
        self._running: set[asyncio.Future[Any]] = set()
        self.cancelled = False
        """Those that run were told to stop; those that come will be."""

    def is_on_loop(self) -> bool:
        """Whether the caller runs on the loop that the run belongs to."""
        return _get_running_loop() is self.loop

    def call_soon(self, deed: Callable[[], Any]) -> bool:
        """Have it called on the loop. False when the run belongs to none, or to one that is closed."""
        if self.loop is None:
            return False
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(deed)
            return True
        return False

    def would_block_here(self) -> bool:
        """Whether tasks cannot go on while the caller waits."""
        thread = get_ident()
        if self._own is not None and thread == self._own.ident:
            return True
        return bool(self._running) and self.loop is not None and thread == self._thread

    def start(self, awaitable: Awaitable[Any], then: Returned, context: CalculatorContext) -> None:
        if self.loop is not None and self.is_on_loop():
            self._launch(awaitable, then, context)
            return
        if self.loop is None and self._own is None:
            self._own = LoopThread()
        loop = self.loop or self._own.loop  # type: ignore[union-attr]
        try:
            loop.call_soon_threadsafe(self._launch, awaitable, then, context)
        except RuntimeError as error:  # the loop is closed
            if asyncio.iscoroutine(awaitable):
                awaitable.close()
            self._deliver(then, context, None, error)

    def _launch(
        self, awaitable: Awaitable[Any], then: Returned, context: CalculatorContext
    ) -> None:
        """On the loop's thread."""
        task = asyncio.ensure_future(awaitable)
        self._running.add(task)
        task.add_done_callback(partial(self._done, then, context))
        if self.cancelled:
            task.cancel()

    def _done(self, then: Returned, context: CalculatorContext, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            self._deliver(then, context, None, asyncio.CancelledError("the task was cancelled"))
        elif (error := task.exception()) is not None:
            self._deliver(then, context, None, error)
        else:
            self._deliver(then, context, task.result(), None)

    def cancel(self) -> None:
        self.cancelled = True
        loop = self.loop or (self._own.loop if self._own is not None else None)
        if self._running and loop is not None:
            call_on(loop, self._cancel_on_loop)

    def _cancel_on_loop(self) -> None:
        for task in tuple(self._running):
            task.cancel()

    def stop(self) -> None:
        """The run is over: let a loop of its own go."""
        if self._own is not None:
            self._own.stop()


def call_on(loop: asyncio.AbstractEventLoop, deed: Callable[[], Any]) -> None:
    """Call on the loop's thread; a loop that is closed has nobody left to tell."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(deed)
