"""How many requests there were, how they ended and how long they took."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from calcgraph.runtime.measurement import Distribution
from calcgraph.servers.observation.exchange import CANCELLED, OK, Exchange, Method, Surface


@dataclass(slots=True)
class Tally:
    """The requests of one kind to one model. Belongs to the event loop."""

    model: str
    """Empty for requests that name no model that is served."""
    surface: Surface
    method: Method | None
    running: int = 0
    accepted: int = 0
    """Handed to the model's graph."""
    rejected: int = 0
    """Refused before that."""
    graph_errors: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: Distribution = field(default_factory=Distribution)
    """Of the requests that were answered well."""

    @property
    def succeeded(self) -> int:
        return self.outcomes.get(OK, 0)

    @property
    def failed(self) -> int:
        """A client that left was not failed by the server."""
        return sum(self.outcomes.values()) - self.succeeded - self.outcomes.get(CANCELLED, 0)

    def end(self, exchange: Exchange) -> None:
        outcome = exchange.outcome
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.accepted += exchange.accepted
        if outcome == OK:
            self.seconds.add(exchange.seconds)
        elif outcome == CANCELLED:
            return
        elif exchange.accepted:
            self.graph_errors += 1
        else:
            self.rejected += 1


Kind = tuple[str, Surface, Method | None]


class RequestCounts:
    """A tally for each kind of request. Names that clients invent share one, so that there are few."""

    def __init__(self, names: Callable[[], Collection[str]]) -> None:
        """`names` are those of the models that are served now."""
        self._names = names
        self._tallies: dict[Kind, Tally] = {}

    @property
    def tallies(self) -> Iterable[Tally]:
        return tuple(self._tallies.values())

    def on_model(self, exchange: Exchange) -> None:
        self._tally(exchange).running += 1

    def on_end(self, exchange: Exchange) -> None:
        if exchange.method is not None:
            tally = self._tally(exchange)
            tally.running -= 1
            tally.end(exchange)
        elif exchange.failed:
            self._tally(exchange).end(exchange)

    def _tally(self, exchange: Exchange) -> Tally:
        kind = (exchange.model, exchange.surface, exchange.method)
        return self._tallies.get(kind) or self._told_apart(kind)

    def _told_apart(self, kind: Kind) -> Tally:
        model, surface, method = kind
        kind = (model if model in self._names() else "", surface, method)
        if kind not in self._tallies:
            self._tallies[kind] = Tally(*kind)
        return self._tallies[kind]
