"""Which pages of other origins may call this server from a browser (CORS), as OVMS's flags say it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

_ANY: Final = "*"
_PREFLIGHT_LASTS_S: Final = 600


@dataclass(frozen=True, slots=True)
class Cors:
    """Allowed origins, methods and request headers; "*" allows any. Without origins there is no CORS."""

    origins: Sequence[str] = ()
    methods: Sequence[str] = (_ANY,)
    headers: Sequence[str] = (_ANY,)

    def preflight(self, method: str, request: Mapping[str, str]) -> Mapping[str, str] | None:
        """The headers that answer a browser's question before its request; None when it asks nothing."""
        wanted = request.get("Access-Control-Request-Method")
        if method != "OPTIONS" or wanted is None or not self._allows(request.get("Origin")):
            return None
        # "*" would not cover Authorization, which OpenAI's clients always send: name what was asked for.
        asked = request.get("Access-Control-Request-Headers", "")
        return {
            "Access-Control-Allow-Methods": _listed(self.methods, wanted),
            "Access-Control-Allow-Headers": _listed(self.headers, asked),
            "Access-Control-Max-Age": str(_PREFLIGHT_LASTS_S),
        }

    def sign(self, request: Mapping[str, str], answer: MutableMapping[str, str]) -> None:
        """Add the headers by which a browser hands the answer to a page of another origin."""
        if not self.origins:
            return
        origin = request.get("Origin")
        if _ANY in self.origins:
            origin = _ANY
        else:
            # A cache must not hand one origin what was answered to another.
            vary(answer, "Origin")
        if origin is not None and self._allows(origin):
            answer["Access-Control-Allow-Origin"] = origin
            answer["Access-Control-Expose-Headers"] = _ANY

    def _allows(self, origin: str | None) -> bool:
        return origin is not None and (_ANY in self.origins or origin in self.origins)


NO_CORS: Final = Cors()


def vary(answer: MutableMapping[str, str], name: str) -> None:
    """Tell caches that the answer depends on one more header of the request."""
    before = answer.get("Vary")
    answer["Vary"] = f"{before}, {name}" if before else name


def _listed(allowed: Sequence[str], asked: str) -> str:
    return asked if _ANY in allowed else ", ".join(allowed)
