"""Whether a request may join the queue: by the tokens that wait before it and the pace of the engine."""

from calcgraph.calculators.engine.pace import Pace
from calcgraph.calculators.engine.queue import Lane
from calcgraph.calculators.engine.schedule import BULK_SHARE, Schedule
from calcgraph.runtime.terms import Overloaded, Terms

BYTES_PER_TOKEN = 4
"""Of JSON with texts, roughly: decides what is too much for sure, before the tokens are counted."""
BULK_TOKENS = 2048
"""A request of more is bulk unless it says otherwise."""
UNMEASURED_TOKENS = 65_536
"""So many may wait while nobody knows yet how long they take."""


class Admission:
    """Asked from any thread, without a lock: the numbers may be one request old."""

    def __init__(self, schedule: Schedule, pace: Pace) -> None:
        self._schedule = schedule
        self._pace = pace

    def lane_of(self, tokens: int) -> Lane:
        """Where a request of so many tokens belongs unless it says otherwise."""
        return Lane.BULK if tokens > BULK_TOKENS else Lane.INTERACTIVE

    def check_early(self, terms: Terms) -> None:
        """Raises Overloaded for a request of which only the size is known. Costs a microsecond."""
        self.check(self.lane_of(terms.size // BYTES_PER_TOKEN), terms)

    def check(self, lane: Lane, terms: Terms) -> None:
        """Raises Overloaded when a request would be begun too late. Its own size plays no part: what is
        large has no smaller chance, and the queue is longer by one request at most."""
        wait = self.wait_s(lane)
        if wait > (terms.bulk_wait_s if lane is Lane.BULK else terms.wait_s):
            raise Overloaded(wait)

    def wait_s(self, lane: Lane) -> float:
        """Seconds until a request that came now would be begun."""
        tokens = self._ahead(lane)
        rate = self._pace.rate
        if rate is None:
            return float("inf") if tokens > UNMEASURED_TOKENS else 0.0
        return tokens / rate

    def _ahead(self, lane: Lane) -> float:
        interactive = self._schedule.tokens(Lane.INTERACTIVE)
        bulk = self._schedule.tokens(Lane.BULK)
        if lane is Lane.BULK:
            return interactive + bulk
        return interactive + min(bulk, interactive * BULK_SHARE)
