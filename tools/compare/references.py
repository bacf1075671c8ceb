"""What the vectors should be: stored ones, sentence-transformers', or a Hugging Face model's own.

torch and its friends are no dependency of calcgraph: they are imported when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.tools.compare.endpoint import Vectors

POOLINGS: Final = ("CLS", "LAST", "MEAN")


def save_goldens(file: Path, texts: Sequence[str], vectors: Vectors) -> None:
    """An .npz of `texts` [N] and `vectors` [N, D]."""
    np.savez_compressed(file, texts=np.array(texts, np.str_), vectors=vectors)


def load_goldens(file: Path) -> tuple[Sequence[str], Vectors]:
    """What `save_goldens` wrote. Raises StatusError for anything else."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            texts, vectors = stored["texts"], stored["vectors"]
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise status_error(
            Code.INVALID_ARGUMENT,
            f"{file} is no .npz with `texts` and `vectors` (as --save_goldens writes): {error}",
        ) from None
    return [str(text) for text in texts], np.asarray(vectors, np.float32)


def sentence_transformers(model: str, texts: Sequence[str]) -> Vectors:
    """As the model's modules.json has it: pooling, normalization and all."""
    module = _required("sentence_transformers", "sentence-transformers")
    # Some weights are stored as halves, and would be computed with as such.
    reference = module.SentenceTransformer(model, device="cpu").float()
    return np.asarray(reference.encode(list(texts)), np.float32)


def hugging_face(model: str, texts: Sequence[str], pooling: str) -> Vectors:
    """AutoModel's last hidden state, pooled and normalized, as OVMS's script does it."""
    torch = _required("torch", "torch")
    transformers = _required("transformers", "transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    encoder = transformers.AutoModel.from_pretrained(model).float()
    with torch.no_grad():
        inputs = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
        hidden = encoder(**inputs).last_hidden_state.numpy()
    pooled = _pooled(hidden, inputs["attention_mask"].numpy(), pooling)
    return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), np.float32)


def _pooled(hidden: Any, mask: Any, pooling: str) -> Any:
    """[N, L, D] to [N, D]; the padding may stand on either side."""
    rows = np.arange(len(hidden))
    match pooling:
        case "CLS":
            return hidden[rows, mask.argmax(axis=1)]
        case "LAST":
            return hidden[rows, mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)]
        case _:
            return (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)


def _required(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise _missing(package) from None


def _missing(package: str) -> StatusError:
    return status_error(
        Code.FAILED_PRECONDITION,
        f"this comparison needs {package}: pip install {package}, or compare with stored vectors (--goldens)",
    )
