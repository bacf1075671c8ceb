"""An OpenAI-style embeddings endpoint, asked over plain HTTP."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import numpy as np
from numpy.typing import NDArray

from calcgraph.runtime.errors import Code, status_error

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
"""From N texts to [N, D]."""

_BATCH: Final = 128
_ATTEMPTS: Final = 5
_BUSY: Final = frozenset({429, 503})
_TIMEOUT_S: Final = 600


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model of a server. `url` is the base (http://host:8000/v3), or ends in /embeddings as OVMS's flag does."""

    url: str
    model: str
    key: str = "unused"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors, in the order of the texts. Raises StatusError with what the server said."""
        batches = [texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH)]
        answers = [
            self.ask("embeddings", input=list(batch), encoding_format="base64") for batch in batches
        ]
        return np.concatenate([vectors_of(answer) for answer in answers])

    def ask(self, path: str, **body: Any) -> Any:
        """The answer to one request, at a path below the base. Raises StatusError with what the server said."""
        address = self._address(path)
        for attempt in range(_ATTEMPTS):
            try:
                return self._ask(address, {"model": self.model, **body})
            except HTTPError as error:
                if error.code not in _BUSY or attempt == _ATTEMPTS - 1:
                    raise status_error(Code.UNKNOWN, f"{address}: {_reason(error)}") from None
                time.sleep(float(error.headers.get("Retry-After") or 1))
            except URLError as error:
                reason = f"{address} does not answer: {error.reason}"
                raise status_error(Code.UNAVAILABLE, reason) from None
        raise AssertionError("the last attempt returned or raised")

    def about(self) -> Any:
        """What the server tells of the model, an empty object where it tells nothing."""
        try:
            return self._ask(self._address(f"models/{quote(self.model, safe='')}"), None)
        except (HTTPError, ValueError):
            return {}
        except URLError as error:
            reason = f"{self.url} does not answer: {error.reason}"
            raise status_error(Code.UNAVAILABLE, reason) from None

    def _ask(self, address: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        content = None if body is None else json.dumps(body).encode()
        with urlopen(Request(address, content, headers), timeout=_TIMEOUT_S) as response:
            return json.load(response)

    def _address(self, path: str) -> str:
        return f"{self.url.rstrip('/').removesuffix('/embeddings')}/{path}"


def vectors_of(answer: Any) -> Vectors:
    """The vectors of an answer, which are base64 or lists of numbers."""
    rows = [item["embedding"] for item in answer["data"]]
    if rows and isinstance(rows[0], str):
        rows = [np.frombuffer(base64.b64decode(row), "<f4") for row in rows]
    return np.array(rows, np.float32)


def _reason(error: HTTPError) -> str:
    """What the server says, in OpenAI's shape or any other."""
    text = error.read().decode(errors="replace")
    try:
        said = json.loads(text)["error"]
        text = said["message"] if isinstance(said, dict) else said
    except (ValueError, KeyError, TypeError):
        pass
    return f"{error.code} {text[:500]}"
