import json
from pathlib import Path
from typing import Any

import pytest

from calcgraph.calculators.tokenization.limits import max_tokens

SENTENCE, TOKENIZER, CONFIG = "sentence_bert_config.json", "tokenizer_config.json", "config.json"


def bert(positions: int) -> dict[str, Any]:
    return {"model_type": "bert", "max_position_embeddings": positions}


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({SENTENCE: {"max_seq_length": 256}, TOKENIZER: {"model_max_length": 512}}, 256),
        ({SENTENCE: {"max_seq_length": None}, TOKENIZER: {"model_max_length": 384}}, 384),
        ({"sentence_roberta_config.json": {"max_seq_length": 128}, CONFIG: bert(512)}, 128),
        ({f"0_Transformer/{SENTENCE}": {"max_seq_length": 128}, CONFIG: bert(512)}, 128),
        ({TOKENIZER: {"model_max_length": 512}, CONFIG: bert(256)}, 256),
        ({TOKENIZER: {"model_max_length": 10**30}, CONFIG: bert(512)}, 512),
        ({TOKENIZER: {"model_max_length": 1e30}}, None),
        ({SENTENCE: {"max_seq_length": 1024}, CONFIG: bert(512)}, 512),
        (
            {
                SENTENCE: {"max_seq_length": 8192},
                CONFIG: {"model_type": "nomic_bert", "max_position_embeddings": 2048},
            },
            8192,
        ),
    ],
)
def test_the_limit_is_that_of_sentence_transformers(
    tmp_path: Path, files: dict[str, dict[str, Any]], limit: int | None
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    assert max_tokens(tmp_path) == limit


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "mpnet", "camembert"])
@pytest.mark.parametrize("declared", [None, 514])
def test_two_positions_of_roberta_are_no_tokens(
    tmp_path: Path, kind: str, declared: int | None
) -> None:
    config = {"model_type": kind, "max_position_embeddings": 514}
    (tmp_path / CONFIG).write_text(json.dumps(config))
    (tmp_path / SENTENCE).write_text(json.dumps({"max_seq_length": declared}))
    assert max_tokens(tmp_path) == 512


def test_the_default_model_takes_256(minilm: Path) -> None:
    assert max_tokens(minilm) == 256


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / CONFIG).write_text(content)
    with pytest.raises(ValueError, match=str(tmp_path / CONFIG)):
        max_tokens(tmp_path)
