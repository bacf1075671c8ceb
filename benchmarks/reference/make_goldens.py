"""Ask sentence-transformers and transformers what the right answers are, and store them in tests/data.

    python3.11 -m venv build/reference
    build/reference/bin/pip install -r benchmarks/reference/requirements.txt
    build/reference/bin/python benchmarks/reference/make_goldens.py --model FOLDER --stsb en-dev.csv

FOLDER is all-MiniLM-L6-v2 as sentence-transformers reads it, with its model.safetensors (the wheel
that `calcgraph pull` unpacks holds one). Writes

- minilm_goldens.npz: float32 [40, 384] a pooling: `mean_normalized` (what SentenceTransformer.encode
  gives), `mean`, `cls_normalized`, `cls`;
- minilm_goldens.json: the texts, their token ids cut to 256, the STS-B dev Spearman, the versions used;
- encoders/<type>/: miniature encoders with random weights and what torch makes of a padded batch.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
from pathlib import Path

import numpy as np
import scipy
import sentence_transformers
import tokenizers
import torch
import transformers
from miniatures import write_miniatures
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer, models
from texts import TEXTS

DATA = Path(__file__).parents[2] / "tests" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument(
        "--stsb", type=Path, required=True, help="STS-B dev split, a CSV without a header"
    )
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)

    reference = SentenceTransformer(str(arguments.model), device="cpu")
    DATA.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(DATA / "minilm_goldens.npz", **poolings(reference))
    description = {
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "max_seq_length": reference.max_seq_length,
        "texts": TEXTS,
        "token_ids": token_ids(reference),
        "stsb_dev_spearman": stsb_spearman(reference, arguments.stsb),
        "versions": versions(),
    }
    with open(DATA / "minilm_goldens.json", "w", encoding="ascii") as file:
        json.dump(description, file, indent=1)
        file.write("\n")
    write_miniatures(DATA / "encoders")


def poolings(reference: SentenceTransformer) -> dict[str, NDArray[np.float32]]:
    """One [texts, 384] array for each way of pooling, under the name it is stored by."""
    transformer, normalize = reference[0], models.Normalize()
    width = transformer.get_embedding_dimension()
    vectors = {"mean_normalized": encode(reference)}
    for pooling in ("mean", "cls"):
        pool = models.Pooling(width, pooling_mode=pooling)
        vectors[pooling] = encode(SentenceTransformer(modules=[transformer, pool], device="cpu"))
    cls = models.Pooling(width, pooling_mode="cls")
    vectors["cls_normalized"] = encode(
        SentenceTransformer(modules=[transformer, cls, normalize], device="cpu")
    )
    return vectors


def encode(model: SentenceTransformer) -> NDArray[np.float32]:
    # One text at a time, so that no vector depends on its neighbours' padding.
    return np.asarray(model.encode(list(TEXTS), batch_size=1), np.float32)


def token_ids(reference: SentenceTransformer) -> list[list[int]]:
    limit = reference.max_seq_length
    return [
        reference.tokenizer(text, truncation=True, max_length=limit)["input_ids"] for text in TEXTS
    ]


def stsb_spearman(reference: SentenceTransformer, path: Path) -> float:
    """Spearman's rho of the cosines of the sentence pairs with the human scores."""
    with open(path, newline="", encoding="utf-8") as file:
        first, second, scores = zip(*csv.reader(file), strict=True)
    cosines = (reference.encode(list(first)) * reference.encode(list(second))).sum(axis=1)
    return float(spearmanr(cosines, [float(score) for score in scores]).statistic)


def versions() -> dict[str, str]:
    named = (np, scipy, sentence_transformers, tokenizers, torch, transformers)
    return {"python": platform.python_version()} | {m.__name__: m.__version__ for m in named}


if __name__ == "__main__":
    main()
