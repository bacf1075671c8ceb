"""Whether a tokenizer and a model are of one piece."""

from __future__ import annotations

from pathlib import Path

from calcgraph.calculators.tokenization.model_files import read_json
from calcgraph.calculators.tokenization.tokenizer import REFERENCE_FILE


def check_vocabulary(folder: Path, rows: int | None) -> None:
    """Raises ValueError when tokenizer.json has words for which the model's table has no row.

    `rows` None is not known. Tokens that were added to the vocabulary are not looked at: some models never
    learnt theirs.
    """
    model = read_json(folder / REFERENCE_FILE).get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        largest = max(vocabulary.values(), default=-1)
    else:
        largest = len(vocabulary or ()) - 1  # Unigram's is a list
    if rows is not None and largest >= rows:
        raise ValueError(
            f"{folder / REFERENCE_FILE} has token ids up to {largest}, the model's table ids up to {rows - 1}: "
            "they are of different models; take both from one"
        )
