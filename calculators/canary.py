"""What a model made of a few texts when it was prepared, to see at load that it still does.

canary.npz, which `calcgraph pull` writes beside the model, holds `texts`, their token ids (`ids`, one after
the other, and their `lengths`), and for each way of pooling float32 [texts, D] by its name: what the
published weights gave in float32, before normalization.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.engine import Pooling
from calcgraph.calculators.tokenization.ids import Ids

FILE: Final = "canary.npz"
_ON_PURPOSE: Final = f"(if the model was changed on purpose, delete its {FILE})"

# How far rounding may turn a vector, by the precision of the inference. What is broken turns it further:
# vectors of unlike texts have cosines around 0.
FLOORS: Final[Mapping[str, float]] = {"f32": 0.999, "bf16": 0.99, "f16": 0.99}
_FLOOR: Final = 0.95


@dataclass(frozen=True, slots=True)
class Canary:
    """Texts, and what the model is to make of them."""

    texts: Sequence[str]
    token_ids: Sequence[Ids]
    vectors: Mapping[Pooling, NDArray[np.float32]]

    def check_tokens(self, found: Sequence[Ids]) -> None:
        """Raises ValueError naming a text that is tokenized otherwise."""
        for text, ids, expected in zip(self.texts, found, self.token_ids, strict=True):
            if not np.array_equal(ids, expected):
                raise ValueError(
                    f"the tokenizer gives {_listed(ids)} for the canary text {text!r}, "
                    f"expected {_listed(expected)} {_ON_PURPOSE}"
                )

    def check_vectors(
        self, found: NDArray[np.float32], pooling: Pooling, precision: str, texts: Sequence[int]
    ) -> None:
        """Raises ValueError naming the text whose vector points elsewhere than it did.

        `found` is [len(texts), D], `texts` says which of the texts they are of.
        """
        expected = self.vectors[pooling][list(texts)]
        if found.shape != expected.shape:
            raise ValueError(
                f"the model's vectors have {found.shape[1]} numbers, the canary's {expected.shape[1]} "
                f"{_ON_PURPOSE}"
            )
        floor = FLOORS.get(precision, _FLOOR)
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
        cosines = (found * expected).sum(axis=1) / np.maximum(lengths, 1e-12)
        worst = int(np.argmin(cosines))
        # Not <: a NaN is worse than any number.
        if not cosines[worst] >= floor:
            raise ValueError(
                f"the model is not what it was when it was prepared: its vector of the canary text "
                f"{self.texts[texts[worst]]!r} has a cosine of {cosines[worst]:.4f} with the one stored then, "
                f"expected at least {floor} in {precision} {_ON_PURPOSE}"
            )


def read_canary(folder: Path) -> Canary | None:
    """The canary of a model folder, None if it has none. Raises ValueError if it is no canary."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path) as file:
            ends = np.cumsum(file["lengths"])
            return Canary(
                texts=file["texts"].tolist(),
                token_ids=np.split(file["ids"], ends[:-1]),
                vectors={method: file[method.name] for method in Pooling},
            )
    except (KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} is no canary that `calcgraph pull` wrote: {error}") from error


def write_canary(folder: Path, canary: Canary) -> None:
    """Write canary.npz; the same canary gives the same bytes."""
    arrays: dict[str, NDArray[Any]] = {
        "texts": np.array(canary.texts),
        "ids": np.concatenate(canary.token_ids),
        "lengths": np.array([len(ids) for ids in canary.token_ids]),
        **{method.name: vectors for method, vectors in canary.vectors.items()},
    }
    np.savez(folder / FILE, allow_pickle=False, **arrays)


def _listed(ids: Ids) -> str:
    shown = ", ".join(map(str, ids[:8].tolist()))
    return f"[{shown}, ...] ({len(ids)} ids)" if len(ids) > 8 else f"[{shown}]"
