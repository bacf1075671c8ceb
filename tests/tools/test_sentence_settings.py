import json
from pathlib import Path
from typing import Any

import pytest

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.sentence_settings import SentenceSettings, read_sentence_settings

KINDS = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}


def folder(
    root: Path,
    pooling: dict[str, Any] | None = None,
    kinds: dict[str, str] = KINDS,
    limit: int | None = 256,
) -> Path:
    modules = [
        {"path": path, "type": f"sentence_transformers.models.{kind}"}
        for path, kind in kinds.items()
    ]
    (root / "modules.json").write_text(json.dumps(modules))
    (root / "1_Pooling").mkdir()
    (root / "1_Pooling" / "config.json").write_text(
        json.dumps(pooling or {"pooling_mode_mean_tokens": True})
    )
    if limit:
        (root / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": limit}))
    return root


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "CLS"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "MEAN"),
        ({"pooling_mode_lasttoken": True}, "LAST"),
        ({"pooling_mode": "cls", "embedding_dimension": 384}, "CLS"),
        ({"pooling_mode": "lasttoken"}, "LAST"),
    ],
)
def test_a_pooling_is_read_in_both_spellings(
    tmp_path: Path, config: dict[str, Any], pooling: str
) -> None:
    assert read_sentence_settings(folder(tmp_path, config)) == SentenceSettings(pooling, True, 256)


def test_without_a_normalize_module_vectors_keep_their_length(tmp_path: Path) -> None:
    kinds = {"": "Transformer", "1_Pooling": "Pooling"}
    assert read_sentence_settings(folder(tmp_path, kinds=kinds)).normalize is False


def test_a_bare_encoder_is_read_as_sentence_transformers_reads_it(tmp_path: Path) -> None:
    assert read_sentence_settings(tmp_path) == SentenceSettings("MEAN", False, None)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"pooling_mode_max_tokens": True},
            "asks for the pooling pooling_mode_max_tokens; supported",
        ),
        ({"pooling_mode": "weightedmean"}, "asks for the pooling weightedmean; supported"),
        (
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            r"cls_token \+ pooling_mode_mean",
        ),
        ({"width": 3}, "asks for the pooling of no kind"),
    ],
)
def test_a_pooling_without_a_node_is_refused(
    tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(PreparationError, match=message):
        read_sentence_settings(folder(tmp_path, config))


def test_a_module_without_a_node_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        PreparationError, match="has a module of type LayerNorm; supported are Transformer"
    ):
        read_sentence_settings(folder(tmp_path, kinds=KINDS | {"3_LayerNorm": "LayerNorm"}))


def test_dense_layers_are_named_in_their_order(tmp_path: Path) -> None:
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Dense": "Dense", "3_Dense": "Dense"}
    settings = read_sentence_settings(folder(tmp_path, kinds=kinds | {"4_Normalize": "Normalize"}))
    assert settings.dense == (tmp_path / "2_Dense", tmp_path / "3_Dense")


def test_a_layer_behind_the_normalization_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        PreparationError, match="in the order Transformer, Pooling, Normalize, Dense; supported"
    ):
        read_sentence_settings(folder(tmp_path, kinds=KINDS | {"3_Dense": "Dense"}))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (folder(tmp_path) / "modules.json").write_text("[")
    with pytest.raises(PreparationError, match=r"modules\.json is not JSON"):
        read_sentence_settings(tmp_path)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"prompts": {"query": "query: ", "document": ""}, "default_prompt_name": "query"},
            ({"query": "query: ", "document": ""}, "query"),
        ),
        ({"prompts": {"query": "", "document": ""}}, ({}, None)),  # written for every model
        ({"prompts": None, "default_prompt_name": None}, ({}, None)),
        ({}, ({}, None)),
    ],
)
def test_prompts_are_read(tmp_path: Path, config: dict[str, Any], expected: Any) -> None:
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(config))
    settings = read_sentence_settings(folder(tmp_path))
    assert (settings.prompts, settings.default_prompt) == expected


def test_a_model_that_pools_without_its_prompt_is_refused(tmp_path: Path) -> None:
    config = {"prompts": {"query": "query: "}}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(config))
    pooling = {"pooling_mode_mean_tokens": True, "include_prompt": False}
    with pytest.raises(PreparationError, match="include_prompt: false"):
        read_sentence_settings(folder(tmp_path, pooling))
