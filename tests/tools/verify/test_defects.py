"""Every defect that was seen in a server of embeddings is found, and called by its name."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

Verify = Callable[..., "object"]


def edit(path: Path, found: str, wanted: str) -> None:
    text = path.read_text()
    assert re.search(found, text), f"{found!r} is not in {path}"
    path.write_text(re.sub(found, wanted, text, count=1))


def graph(model: Path, found: str, wanted: str) -> None:
    edit(model / "graph.pbtxt", found, wanted)


def tokenizer(model: Path, change: Callable[[dict], None]) -> None:
    file = model / "tokenizer.json"
    spec = json.loads(file.read_text())
    change(spec)
    file.write_text(json.dumps(spec))


def saved(model: Path, network: ov.Model) -> None:
    """Write a network in the place of the model's, by way of another file: the old one is mapped."""
    ov.save_model(network, model / "new.xml", compress_to_fp16=False)
    for suffix in (".xml", ".bin"):
        (model / f"new{suffix}").replace(model / f"openvino_model{suffix}")


def network(model: Path) -> ov.Model:
    return ov.Core().read_model(model / "openvino_model.xml")


def without_token_types(model: Path) -> None:
    """The look-up of the token types gone with its input, as by an exporter that does not know it."""
    old = network(model)
    (gone,) = (
        each for each in old.get_parameters() if each.get_friendly_name() == "token_type_ids"
    )
    for lookup in old.get_ordered_ops():
        if lookup.get_friendly_name() == "embeddings.token_type_embeddings/Gather":
            zero = ops.constant(np.zeros((1, 1, 1), np.float32))
            for reader in lookup.output(0).get_target_inputs():
                reader.replace_source_output(zero.output(0))
    parameters = [
        each
        for each in old.get_parameters()
        if each is not gone and each.get_friendly_name() != "token_type_ids"
    ]
    saved(model, ov.Model(old.get_results(), parameters, "bert"))


def nan_weights(model: Path) -> None:
    old = network(model)
    for node in old.get_ordered_ops():
        if node.get_friendly_name() == "encoder.layer.0.output.dense.weight":
            data = node.get_data().copy()
            data[0, 0] = np.nan
            bad = ops.constant(data, name="encoder.layer.0.output.dense.weight")
            for reader in node.output(0).get_target_inputs():
                reader.replace_source_output(bad.output(0))
    saved(model, old)


def other_weights(model: Path) -> None:
    old = network(model)
    for node in old.get_ordered_ops():
        if node.get_friendly_name() == "embeddings.word_embeddings.weight":
            data = np.ascontiguousarray(node.get_data()[::-1])
            bad = ops.constant(data, name="embeddings.word_embeddings.weight")
            for reader in node.output(0).get_target_inputs():
                reader.replace_source_output(bad.output(0))
    saved(model, old)


def swap_words(spec: dict) -> None:
    vocabulary = spec["model"]["vocab"]
    vocabulary["the"], vocabulary["cat"] = vocabulary["cat"], vocabulary["the"]


def without_special_tokens(spec: dict) -> None:
    spec["post_processor"] = None


DEFECTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "wrong pooling": (
        lambda model: graph(model, "pooling: CLS", "pooling: MEAN"),
        "pooling",
        "the server takes MEAN, the model was trained with CLS",
    ),
    "last token": (
        lambda model: graph(model, "pooling: CLS", "pooling: LAST"),
        "pooling",
        "the server takes LAST",
    ),
    "missing normalization": (
        lambda model: graph(model, "enabled: true", "enabled: false"),
        "normalization",
        "expected 1",
    ),
    "a limit that is too short": (
        lambda model: graph(model, "max_length: 48", "max_length: 20"),
        "max length",
        "the server reads up to 20 tokens, the model 48",
    ),
    "dropped token types": (
        without_token_types,
        "token types",
        "and openvino_model.xml no input token_type_ids",
    ),
    "a changed tokenizer": (
        lambda model: tokenizer(model, swap_words),
        "token ids",
        "copy tokenizer.json",
    ),
    "no special tokens": (
        lambda model: tokenizer(model, without_special_tokens),
        "special tokens",
        "expected [2] ... [3]",
    ),
    "a wrong prompt": (
        lambda model: graph(model, "the cat: ", "a dog: "),
        "prompts",
        "prompt 'query' is not 'the cat: '",
    ),
    "a default prompt": (
        lambda model: graph(
            model, r"(PromptTemplateOptions\]: \{\n)", r'\1      default_prompt: "query"\n'
        ),
        "prompts",
        "the default prompt is not None",
    ),
    "NaN weights": (nan_weights, "NaN", "encoder.layer.0.output.dense.weight is not finite"),
    "other weights": (other_weights, "vectors", "expected at least 0.999"),
    "a graph that is wrong": (
        lambda model: graph(model, "pooling: CLS", "pooling: MAX"),
        "load",
        "found MAX, expected one of CLS, LAST, MEAN",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_by_its_name(defect: str, model: Path, verify: Verify) -> None:
    make, name, evidence = DEFECTS[defect]
    make(model)
    table = verify(model)
    assert table.status == 1
    assert name in table.failed, table.text
    assert evidence in table.text


def test_a_limit_that_only_the_positions_set_is_found(
    model: Path, published: Path, verify: Verify
) -> None:
    """XLM-R's 514, of which 512 can be read, in small: the file with the right limit was lost."""
    (model / "sentence_bert_config.json").unlink()
    graph(model, "max_length: 48", "max_length: 64")
    table = verify(model, "--reference", published)
    assert table.failed == ["max length"], table.text
    assert "the server reads up to 64 tokens, the model 48" in table.text


def test_a_right_model_passes_every_check(right: Path, verify: Verify) -> None:
    table = verify(right)
    assert (table.status, table.failed) == (0, []), table.text
    assert "[SUCCESS] 17 checks passed, 0 could not be made" in table.text


def test_without_a_canary_the_published_model_is_the_reference(
    model: Path, published: Path, verify: Verify
) -> None:
    (model / "canary.npz").unlink()
    table = verify(model, "--reference", published)
    assert table.status == 0, table.text
    assert "in float32" in table.text


def test_the_published_model_finds_a_wrong_pooling_too(
    model: Path, published: Path, verify: Verify
) -> None:
    graph(model, "pooling: CLS", "pooling: MEAN")
    table = verify(model, "--reference", published)
    assert "pooling" in table.failed
