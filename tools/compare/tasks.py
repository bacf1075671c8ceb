"""Accuracy by MTEB's methods, on files of your own: one figure a task.

Both tasks need what `pip install calcgraph[bench]` brings.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.tools.compare.endpoint import Embed, Vectors

# MTEB's AbsTaskClassification.
_DRAWS: Final = 10
_SAMPLES_PER_LABEL: Final = 8
_SEED: Final = 42
_MAX_ITERATIONS: Final = 100


def stsb(file: Path, embed: Embed) -> float:
    """Spearman's rank correlation of cosines with human scores.

    `file` is a CSV without a header: sentence, sentence, score (STS-B's dev and test splits).
    """
    from scipy.stats import spearmanr

    rows = [(row[0], row[1], float(row[2])) for row in _rows(file, 3)]
    firsts, seconds, scores = zip(*rows, strict=True)
    vectors = embed([*firsts, *seconds])
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (vectors[: len(rows)] * vectors[len(rows) :]).sum(axis=1)
    return float(spearmanr(cosines, scores).statistic)


def banking77(folder: Path, embed: Embed) -> float:
    """Accuracy of a logistic regression on 8 samples a label, the mean of 10 draws.

    `folder` holds train.csv and test.csv with the columns `text` and `category`.
    """
    train, test = _labelled(folder / "train.csv"), _labelled(folder / "test.csv")
    draws = list(_draws([label for _, label in train]))
    needed = sorted({index for draw in draws for index in draw})
    vectors = embed([train[index][0] for index in needed] + [text for text, _ in test])
    rows = {index: row for row, index in enumerate(needed)}
    truth = [label for _, label in test]
    accuracies = [
        _accuracy(
            vectors[[rows[index] for index in draw]],
            [train[index][1] for index in draw],
            vectors[len(needed) :],
            truth,
        )
        for draw in draws
    ]
    return float(np.mean(accuracies))


TASKS: Final[Mapping[str, tuple[str, Callable[[Path, Embed], float]]]] = {
    "stsb": ("Spearman", stsb),
    "banking77": ("accuracy", banking77),
}


def _draws(labels: Sequence[str]) -> Iterator[Sequence[int]]:
    """The samples of each draw. Each shuffles on from the order of the one before, as MTEB does."""
    order = list(range(len(labels)))
    for _ in range(_DRAWS):
        np.random.RandomState(_SEED).shuffle(order)
        taken: Counter[str] = Counter()
        draw = []
        for index in order:
            if taken[labels[index]] < _SAMPLES_PER_LABEL:
                taken[labels[index]] += 1
                draw.append(index)
        yield draw


def _accuracy(train: Vectors, labels: Sequence[str], test: Vectors, truth: Sequence[str]) -> float:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(random_state=_SEED, max_iter=_MAX_ITERATIONS)
    return float(model.fit(train, labels).score(test, truth))


def _labelled(file: Path) -> Sequence[tuple[str, str]]:
    header, *rows = _rows(file, 2)
    if header[:2] != ["text", "category"]:
        raise _malformed(file, f"begins with {header[:2]}; expected the columns text and category")
    return [(text, category) for text, category, *_ in rows]


def _rows(file: Path, columns: int) -> Sequence[list[str]]:
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _malformed(file, f"cannot be read: {error}") from None
    for number, row in enumerate(rows, 1):
        if len(row) < columns:
            raise _malformed(file, f"row {number} has {len(row)} columns; expected {columns}")
    if len(rows) < 2:
        raise _malformed(file, "has no rows")
    return rows


def _malformed(file: Path, what: str) -> StatusError:
    return status_error(Code.INVALID_ARGUMENT, f"{file} {what}")
