"""Keys: each has a name and allows some of what there is; of its secret only a hash is kept.

A secret is 32 random bytes, which nobody guesses: a plain SHA-256 hides it as well as a slow hash would.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from calcgraph.servers.auth.scopes import Scope

_PREFIX: Final = "cg-"
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Key:
    """One key as the server knows it."""

    name: str
    digest: bytes
    """SHA-256 of the secret."""
    scopes: Collection[Scope]
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Quotas; None is no limit."""


class Keys(Protocol):
    """All keys there are."""

    def find(self, secret: str) -> Key | None: ...


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys that stay as they are."""

    keys: Sequence[Key]

    def find(self, secret: str) -> Key | None:
        """The key of a secret. Compares with every key, whichever fits, in the same time."""
        digest, found = digest_of(secret), None
        for key in self.keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found


def new_secret() -> str:
    """What a client sends; to be shown once and kept by nobody."""
    return _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


def plain_key(secret: str, name: str) -> Key:
    """OVMS's only key, which allows everything."""
    return Key(name, digest_of(secret), frozenset(Scope))
