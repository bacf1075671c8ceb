"""Hand results to those who wait: threads at once, an event loop once a batch for all its requests."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from calcgraph.calculators.engine.queue import Job

log = logging.getLogger("calcgraph.engine")


@dataclass(frozen=True, slots=True)
class Waiter:
    """Who waits for a job: a future, and the event loop it belongs to if it does."""

    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job that is over, well or not."""

    job: Job
    error: Exception | None = None


def settle(outcomes: Iterable[Outcome]) -> None:
    """Complete the futures of these jobs. Those cancelled meanwhile are left alone."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_loop[outcome.job.waiter.loop].append(outcome)
    for loop, group in by_loop.items():
        if loop is None:
            _settle_threads(group)
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(_settle_tasks, group)


def _settle_tasks(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        future = outcome.job.waiter.future
        if not future.done():
            _complete(future, outcome)


def _settle_threads(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        future = outcome.job.waiter.future
        try:
            if future.set_running_or_notify_cancel():
                _complete(future, outcome)
        except BaseException:  # a callback may even call sys.exit(), and others still wait
            log.exception("a callback of a request failed")


def _complete(future: Any, outcome: Outcome) -> None:
    if outcome.error is not None:
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome.job.result)
