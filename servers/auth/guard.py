"""The check that every request meets before anything else of it is looked at."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.servers.auth.keys import Key, Keys
from calcgraph.servers.auth.scopes import Scope

CALLER: ContextVar[Key | None] = ContextVar("caller", default=None)
"""The key of the request that is being answered."""

_SCHEME: Final = "bearer "
_HOW: Final = "send it as 'Authorization: Bearer KEY'"


class Guard:
    """Lets requests in by their keys; without keys it lets in all."""

    def __init__(self, keys: Keys | None = None, *, open_health: bool = True) -> None:
        """`open_health`: probes need no key."""
        self._keys = keys
        self._open_health = open_health

    def check(self, authorization: str | None, scope: Scope, *, health: bool = False) -> None:
        """Make the caller known as CALLER. Raises RequestError UNAUTHENTICATED or PERMISSION_DENIED."""
        if self._keys is None or (health and self._open_health):
            return
        key = self._keys.find(_secret(authorization))
        if key is None:
            raise RequestError(f"Incorrect API key provided; {_HOW}.", code=Code.UNAUTHENTICATED)
        if scope not in key.scopes:
            raise RequestError(
                f"The API key '{key.name}' does not have the scope '{scope.value}'.",
                code=Code.PERMISSION_DENIED,
            )
        CALLER.set(key)


OPEN: Final = Guard()


def _secret(authorization: str | None) -> str:
    if authorization is None:
        raise RequestError(f"No API key provided; {_HOW}.", code=Code.UNAUTHENTICATED)
    if not authorization[: len(_SCHEME)].lower() == _SCHEME:
        raise RequestError(
            f"The Authorization header has no bearer key; {_HOW}.", code=Code.UNAUTHENTICATED
        )
    return authorization[len(_SCHEME) :].strip()
