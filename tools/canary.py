"""The canary of a model: what its published weights make of a few texts, in float32 and without packing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from calcgraph.calculators.canary import Canary, write_canary
from calcgraph.calculators.engine import Pooling
from calcgraph.calculators.pooling import METHODS
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer
from calcgraph.calculators.tokenization.tokenizer import REFERENCE_FILE

# Short and long, plain and not: what is wrong with a tokenizer or a kernel shows in one of them.
TEXTS = (
    "hello world",
    "A happy person is walking down the street.",
    "What do I have to do if my card was swallowed by the machine?",
    "It's 12:30 -- isn't it?  (3.14159) {a_b} <c> http://d.e/f?g=h&i#j",
    "def add(a, b):\n\treturn a + b  # the sum",
    "Größenwahn, déjà vu, naïve façade",
    "Москва - столица России; 東京は日本の首都です。",
    "The engine reads a sentence, and makes of it a point among other points. " * 6,
)


def make_canary(encoder: ov.Model, folder: Path) -> None:
    """Write canary.npz beside the tokenizer.json of a folder."""
    write_canary(folder, canary_of(encoder, folder))


def canary_of(encoder: ov.Model, folder: Path) -> Canary:
    """What an encoder makes of the texts, one after the other. Raises ValueError for a bad tokenizer.json."""
    limit = max_tokens(folder)
    encoded = ReferenceTokenizer(folder / REFERENCE_FILE).encode(TEXTS)
    texts, ids = zip(
        *(
            (text, ids)
            for text, ids in zip(TEXTS, encoded, strict=True)
            if limit is None or len(ids) <= limit
        ),
        strict=True,
    )
    compiled = ov.Core().compile_model(encoder, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    hidden = [_hidden(compiled, sequence) for sequence in ids]
    vectors = {
        method: np.stack([METHODS[method](tokens) for tokens in hidden]) for method in Pooling
    }
    return Canary(texts, ids, vectors)


def _hidden(compiled: ov.CompiledModel, ids: Ids) -> NDArray[np.float32]:
    """A vector a token: float32 [tokens, D]."""
    row = ids[None]
    known = {
        "input_ids": row,
        "attention_mask": np.ones_like(row),
        "token_type_ids": np.zeros_like(row),
    }
    inputs = {port.any_name: known[port.any_name] for port in compiled.inputs}
    tokens: NDArray[np.float32] = compiled(inputs)[0][0].copy()
    return tokens
