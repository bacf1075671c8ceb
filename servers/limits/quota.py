"""What each key may use in a minute: requests and tokens, in buckets that fill as time goes by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.terms import retry_after
from calcgraph.servers.auth.keys import Key

_MINUTE_S: Final = 60.0


class Bucket:
    """`most` are there at first and never more; they come back evenly within a minute."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._clock = clock
        self._level = float(most)
        self._seen = clock()

    @property
    def level(self) -> float:
        now = self._clock()
        self._level = min(self.most, self._level + (now - self._seen) * self.most / _MINUTE_S)
        self._seen = now
        return self._level

    def take(self, count: int) -> bool:
        """All or nothing."""
        if self.level < count:
            return False
        self._level -= count
        return True

    def seconds_until(self, count: int) -> float:
        """How long until so many are there; 0 if they are."""
        return max(0.0, count - self.level) * _MINUTE_S / self.most


@dataclass(frozen=True, slots=True)
class Account:
    """What one key has left. Belongs to one event loop."""

    name: str
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    """"requests" and "tokens", where the key has a quota."""

    @classmethod
    def of(cls, key: Key) -> Account:
        quotas = {"requests": key.requests_per_minute, "tokens": key.tokens_per_minute}
        return cls(key.name, {what: Bucket(most) for what, most in quotas.items() if most})

    def begin(self) -> None:
        """Count a request. Raises RequestError, also when its tokens are used up to the last."""
        self._take("requests", 1)
        tokens = self.buckets.get("tokens")
        if tokens is not None and tokens.level < 1:
            raise self._spent("tokens", 1)

    def charge(self, tokens: int) -> None:
        """Count a request's tokens. Raises RequestError when there are not enough."""
        bucket = self.buckets.get("tokens")
        if bucket is not None and tokens > bucket.most:
            raise RequestError(
                f"The request has {tokens} tokens, and the API key '{self.name}' may use {bucket.most} a "
                "minute: send fewer at a time.",
                reason="tokens_per_minute_exceeded",
            )
        self._take("tokens", tokens)

    def headers(self) -> Iterator[tuple[str, str]]:
        """What is left, in the headers that OpenAI's clients know."""
        for what, bucket in self.buckets.items():
            yield f"x-ratelimit-limit-{what}", str(bucket.most)
            yield f"x-ratelimit-remaining-{what}", str(int(bucket.level))
            yield f"x-ratelimit-reset-{what}", f"{bucket.seconds_until(bucket.most):.3f}s"

    def _take(self, what: str, count: int) -> None:
        bucket = self.buckets.get(what)
        if bucket is not None and not bucket.take(count):
            raise self._spent(what, count)

    def _spent(self, what: str, count: int) -> RequestError:
        bucket = self.buckets[what]
        return RequestError(
            f"The API key '{self.name}' may use {bucket.most} {what} a minute; "
            f"{int(bucket.level)} are left, {count} are asked for.",
            reason="rate_limit_exceeded",
            code=Code.RESOURCE_EXHAUSTED,
            retry_after=retry_after(bucket.seconds_until(count)),
        )


class Accounts:
    """The accounts of all keys that have been used."""

    def __init__(self) -> None:
        self._accounts: dict[str, tuple[Key, Account]] = {}

    def of(self, key: Key | None) -> Account | None:
        """None for who has no quota. A key whose quota was changed begins anew."""
        if key is None or not (key.requests_per_minute or key.tokens_per_minute):
            return None
        found = self._accounts.get(key.name)
        if found is None or found[0] != key:
            found = self._accounts[key.name] = (key, Account.of(key))
        return found[1]
