"""One line in the log for each request that failed: which, whose, why."""

from __future__ import annotations

import logging
from typing import Final

from calcgraph.servers.errors import Answer
from calcgraph.servers.observation.exchange import Exchange

log = logging.getLogger("calcgraph.requests")

_LONGEST: Final = 80


class FailureLog:
    """Tells status, model, reason and request id; nothing of what the request held, and no key.

    The sentence that the caller got may quote the request: it is told at the level DEBUG alone.
    """

    def on_model(self, exchange: Exchange) -> None:
        """Nothing has failed yet."""

    def on_end(self, exchange: Exchange) -> None:
        failure = exchange.failure
        if failure is None:
            return
        level = logging.WARNING if exchange.is_servers_fault else logging.INFO
        if log.isEnabledFor(level):
            facts = _facts(exchange, failure)
            text = " ".join(f"{name}={value}" for name, value in facts.items())
            log.log(level, "request failed: %s", text, extra={"facts": facts})
        log.debug("request %s was answered: %s", exchange.request_id, failure.message)


def _facts(exchange: Exchange, failure: Answer) -> dict[str, object]:
    return {
        "status": failure.status,
        "reason": failure.reason or failure.code.name.lower(),
        "param": _told(failure.param or ""),
        "model": _told(exchange.model),
        "surface": exchange.surface.value,
        "request_id": exchange.request_id,
        "ms": round(exchange.seconds * 1000, 1),
    }


def _told(name: str) -> str:
    """A name that a client chose, for one line: no breaks, no end of quotes, not long."""
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."
    return shown.encode("unicode_escape").decode() if shown else "-"
