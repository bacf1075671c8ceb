"""Run by the Python of an environment that has sentence-transformers, and nothing of calcgraph.

python sentence_transformers_program.py MODEL TEXTS.json ANSWER.npz
"""

import json
import sys

import numpy as np
from sentence_transformers import SentenceTransformer

_POOLINGS = {"cls": "CLS", "mean": "MEAN", "lasttoken": "LAST"}


def main(name: str, question: str, answer: str) -> None:
    with open(question, encoding="utf-8") as file:
        texts = json.load(file)
    model = SentenceTransformer(name, device="cpu").float()
    kinds = [type(module).__name__ for module in model]
    encoded = {text: model.tokenizer(text)["input_ids"] for text in texts}
    texts = [text for text in texts if len(encoded[text]) <= (model.max_seq_length or 10**9)]
    ids = [encoded[text] for text in texts]
    hidden = [
        model.encode(text, output_value="token_embeddings", prompt="").numpy() for text in texts
    ]
    about = {
        "pooling": _pooling(model, kinds),
        "normalize": "Normalize" in kinds,
        "max_tokens": model.max_seq_length,
        "prompts": {key: text for key, text in (model.prompts or {}).items() if text},
        "default_prompt": model.default_prompt_name,
        "dense": kinds.count("Dense"),
    }
    np.savez(
        answer,
        about=json.dumps(about),
        texts=texts,
        ids=np.concatenate(ids),
        lengths=[len(each) for each in ids],
        CLS=np.stack([tokens[0] for tokens in hidden]),
        LAST=np.stack([tokens[-1] for tokens in hidden]),
        MEAN=np.stack([tokens.mean(axis=0) for tokens in hidden]),
        # One at a time, so that no vector depends on its neighbours' padding.
        vectors=np.stack([model.encode(text, prompt="") for text in texts]),
    )


def _pooling(model: SentenceTransformer, kinds: list[str]) -> str | None:
    if "Pooling" not in kinds:
        return None
    module = model[kinds.index("Pooling")]
    mode = getattr(module, "pooling_mode", None) or module.get_pooling_mode_str()
    return _POOLINGS.get(str(mode))


if __name__ == "__main__":
    main(*sys.argv[1:])
