"""The binary tensor extension of the Open Inference Protocol: raw tensors behind the JSON of a body.

The header Inference-Header-Content-Length counts the bytes of the JSON (after decompression); behind them
stand the tensors that carry `binary_data_size`, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from calcgraph.runtime.errors import RequestError

HEADER: Final = "Inference-Header-Content-Length"
SIZE: Final = "binary_data_size"


class BinaryTail:
    """The bytes behind the JSON, taken from the front. Mistakes in the sizes raise RequestError."""

    def __init__(self, data: bytes | None = None) -> None:
        """None is a body that is JSON alone."""
        self.is_there = data is not None
        self._data = data or b""
        self._at = 0

    def take(self, name: str, parameters: Mapping[str, Any]) -> bytes | None:
        """The bytes of one input; None when it does not say that it has any."""
        size = parameters.get(SIZE)
        if size is None:
            return None
        if type(size) is not int or size < 0:
            raise RequestError(
                f"Input '{name}' has a {SIZE} of {size!r:.80}; expected an integer >= 0.",
                param=name,
            )
        return self.take_bytes(name, size)

    def take_rest(self) -> bytes:
        """All that is left."""
        self._at, at = len(self._data), self._at
        return self._data[at:]

    def take_bytes(self, name: str, size: int) -> bytes:
        """The next bytes, for an input of that size."""
        left = len(self._data) - self._at
        if size > left:
            raise RequestError(
                f"Input '{name}' has a {SIZE} of {size}, but {left} bytes are left of the body.",
                param=name,
            )
        self._at += size
        return self._data[self._at - size : self._at]

    def require_end(self) -> None:
        """Nothing may be left over when all inputs have taken theirs."""
        left = len(self._data) - self._at
        if left:
            raise RequestError(f"The body has {left} bytes that no input takes with {SIZE}.")


def split(body: bytes, header: str | None) -> tuple[bytes, BinaryTail]:
    """The JSON of a body and what stands behind it."""
    if header is None:
        return body, BinaryTail()
    length = int(header) if header.isascii() and header.isdecimal() else -1
    if not 0 <= length <= len(body):
        raise RequestError(
            f"{HEADER} is {header[:40]!r}; expected the bytes of JSON in a body of {len(body)}."
        )
    return body[:length], BinaryTail(body[length:])
