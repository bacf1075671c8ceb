"""How many tokens a model takes, special tokens included, as its folder tells it."""

from pathlib import Path
from typing import Any

from calcgraph.calculators.tokenization.model_files import read_json

# Architectures with a learned vector for each position, and how many of the first ones are set
# aside: RoBERTa counts from padding_idx + 1. Beyond the rest there is nothing to look up.
RESERVED_POSITIONS = {
    "albert": 0,
    "bert": 0,
    "camembert": 2,
    "distilbert": 0,
    "electra": 0,
    "mpnet": 2,
    "roberta": 2,
    "xlm-roberta": 2,
    "xlm-roberta-xl": 2,
}

# A tokenizer_config.json without a limit says model_max_length = 10**30.
_UNLIMITED = 10**9


def max_tokens(folder: Path) -> int | None:
    """The limit that sentence-transformers uses: None if no file of the folder says.

    1. `max_seq_length` of sentence_bert_config.json (older folders: sentence_roberta_config.json
       and so on, or in 0_Transformer/);
    2. else the least of `model_max_length` of tokenizer_config.json and
       `max_position_embeddings` of config.json.

    Never more than the positions that the model has, if it learned them.
    """
    config = read_json(folder / "config.json")
    kind = config.get("model_type")
    positions = _limit(config, "max_position_embeddings")
    if positions is not None:
        positions -= RESERVED_POSITIONS.get(str(kind), 0)
    declared = _declared(folder)
    if declared is None:
        return _least(
            _limit(read_json(folder / "tokenizer_config.json"), "model_max_length"), positions
        )
    return _least(declared, positions if kind in RESERVED_POSITIONS else None)


def _declared(folder: Path) -> int | None:
    for place in (folder, folder / "0_Transformer"):
        for file in sorted(place.glob("sentence_*_config.json")):
            if limit := _limit(read_json(file), "max_seq_length"):
                return limit
    return None


def _limit(config: dict[str, Any], key: str) -> int | None:
    value = config.get(key)
    return int(value) if isinstance(value, int | float) and 0 < value < _UNLIMITED else None


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
