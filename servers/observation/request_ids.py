"""The name of a request: in its answer, in the log, in traces."""

from __future__ import annotations

import itertools
import os

_LONGEST = 256


class RequestIds:
    """The client's own ids where they can stand in a header and a log line, else new ones."""

    def __init__(self) -> None:
        self._process = os.urandom(6).hex()
        self._count = itertools.count(1)

    def of(self, given: str | None) -> str:
        """`given` is the x-request-id that came with the request."""
        if given and len(given) <= _LONGEST and given.isascii() and given.isprintable():
            return given
        return f"{self._process}-{next(self._count):x}"
