"""Shorter vectors on request: the leading numbers of each, unit length again if they were before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calcgraph.runtime.errors import RequestError


def shorten(
    vectors: NDArray[np.float32], dimensions: int, *, normalized: bool
) -> NDArray[np.float32]:
    """The first `dimensions` columns of [N, D], as OpenAI's `dimensions` does it."""
    available = vectors.shape[1]
    if not 1 <= dimensions <= available:
        raise RequestError(
            f"'dimensions' must be between 1 and {available}, the length of this model's vectors; "
            f"found {dimensions}",
            param="dimensions",
        )
    if dimensions == available:
        return vectors
    leading = vectors[:, :dimensions]
    return unit_length(leading) if normalized else np.ascontiguousarray(leading)


def unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row of [N, D] divided by its L2 norm; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = vectors / np.maximum(norms, 1e-12)
    return scaled
