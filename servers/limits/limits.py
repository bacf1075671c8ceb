"""What every request to a model meets, whatever the protocol: its key's quota, its terms, its deadline."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.payload import HttpRequest, HttpResponse, InferRequest, InferResponse
from calcgraph.runtime.terms import Overloaded, Terms
from calcgraph.servers.auth.guard import CALLER
from calcgraph.servers.limits.deadline import seconds_allowed
from calcgraph.servers.limits.quota import Account, Accounts
from calcgraph.servers.observation.exchange import accepted
from calcgraph.servers.servable import Servable


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one server. Belongs to one event loop."""

    wait_s: float = math.inf
    """The longest that a request waits in a queue; who would wait longer is refused at once."""
    bulk_wait_s: float = math.inf
    """The same for large requests and those that are in no hurry."""
    timeout_s: float | None = None
    """How long a request may take that does not say itself."""
    accounts: Accounts = field(default_factory=Accounts)
    loop_late_s: Callable[[], float] = float
    """How long a request has waited for the event loop before it was looked at."""

    async def infer(
        self, servable: Servable, request: HttpRequest | InferRequest
    ) -> HttpResponse | InferResponse:
        """Have it answered. Raises RequestError RESOURCE_EXHAUSTED before anything is done for it, or
        DEADLINE_EXCEEDED when its time is over: what has not begun by then is dropped."""
        late = self.loop_late_s()
        if late > self.wait_s:
            raise Overloaded(late)
        account = self.accounts.of(CALLER.get())
        if account is not None:
            account.begin()
        allowed = seconds_allowed(request) or self.timeout_s
        request = replace(request, terms=self._terms(request, allowed, account))
        accepted()
        if allowed is None:
            return await servable.infer(request)
        try:
            async with asyncio.timeout(allowed) as deadline:
                return await servable.infer(request)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise _too_late(allowed) from None

    def streamed(self, request: InferRequest) -> InferRequest:
        """One request of a stream, counted and given its terms; its deadline is the stream's own."""
        account = self.accounts.of(CALLER.get())
        if account is not None:
            account.begin()
        return replace(request, terms=self._terms(request, None, account))

    def remaining(self) -> Iterable[tuple[str, str]]:
        """Headers that tell the caller what is left of his quota."""
        account = self.accounts.of(CALLER.get())
        return () if account is None else account.headers()

    def _terms(
        self, request: HttpRequest | InferRequest, allowed: float | None, account: Account | None
    ) -> Terms:
        most = math.inf if allowed is None else allowed
        terms = Terms(min(self.wait_s, most), min(self.bulk_wait_s, most), _size(request))
        return terms if account is None else replace(terms, charge=account.charge)


NO_LIMITS: Final = Limits()


def _size(request: HttpRequest | InferRequest) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else 0


def _too_late(allowed: float) -> RequestError:
    return RequestError(
        f"The request was not answered within its {allowed:g} s.",
        reason="deadline_exceeded",
        code=Code.DEADLINE_EXCEEDED,
    )
