"""Vectors in fewer bytes: int8, and one bit a number.

Both need nothing but the vector itself, so that the same text always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[Any]


def int8(vectors: Vectors) -> Vectors:
    """Each vector stretched so that its largest number is 127 or -127, and rounded.

    Cosines stay what they were but for the rounding; lengths and dot products do not.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    scaled = vectors * (127 / np.maximum(largest, np.finfo(np.float32).tiny))
    rounded: Vectors = np.rint(scaled).astype(np.int8)
    return rounded


def ubinary(vectors: Vectors) -> Vectors:
    """Eight numbers a byte, the first in the highest bit: 1 for what is greater than 0.

    As sentence-transformers' quantize_embeddings and Cohere have it; where the length is no multiple
    of 8 the last byte ends in zeros.
    """
    return np.packbits(vectors > 0, axis=1)


def binary(vectors: Vectors) -> Vectors:
    """The bytes of `ubinary` less 128, signed."""
    return (ubinary(vectors).astype(np.int16) - 128).astype(np.int8)


def little_endian_float(vectors: Vectors) -> Vectors:
    return np.ascontiguousarray(vectors, "<f4")


FORMS: Final[Mapping[str, Callable[[Vectors], Vectors]]] = {
    "float": little_endian_float,
    "int8": int8,
    "binary": binary,
    "ubinary": ubinary,
}
"""By the name that requests give in `embedding_types`."""
