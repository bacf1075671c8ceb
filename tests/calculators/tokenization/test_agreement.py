import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from calcgraph.calculators.tokenization.agreement import PLAIN, disputed_texts
from calcgraph.calculators.tokenization.compiled import CompiledTokenizer
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer


def disputed(folder: Path, **changes: Any) -> re.Pattern[str]:
    reference = ReferenceTokenizer(folder / "tokenizer.json")
    compiled = CompiledTokenizer(folder / "openvino_tokenizer.xml")
    return disputed_texts(reference.spec | changes, reference, compiled)


@pytest.fixture(scope="module")
def of_minilm(minilm: Path) -> re.Pattern[str]:
    return disputed(minilm)


def test_no_plain_character_is_one_that_unicode_reorders_or_composes() -> None:
    for first, last in PLAIN:
        for character in map(chr, range(first, last + 1)):
            assert unicodedata.combining(character) == 0
            assert unicodedata.normalize("NFC", character) == character


@pytest.mark.parametrize(
    "text",
    ["", "How do I get my money back?", "Grüsse naïve — “Łódź”", "Привет", "你好世界", "한국어"],
)
def test_everyday_texts_are_undisputed(of_minilm: re.Pattern[str], text: str) -> None:
    assert of_minilm.search(text) is None


@pytest.mark.parametrize(
    "text",
    ["e\u0301", "\0", "\u00a0", "µ", "Σίσυφος", "Straße", "İ", "[CLS]", "a[PAD]", "\U0001f600"],
)
def test_marks_odd_folding_controls_and_special_tokens_are_disputed(
    of_minilm: re.Pattern[str], text: str
) -> None:
    assert of_minilm.search(f"How do {text} do?")


def test_a_special_token_that_is_a_word_is_disputed_whatever_its_case(minilm: Path) -> None:
    pattern = disputed(minilm, added_tokens=[{"content": "query"}])
    assert pattern.search("a Query here")
    assert not pattern.search("a quest here")


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("unigram", {}),
        ("byte_level_bpe", {"normalizer": {"type": "NFKC"}}),
        ("byte_level_bpe", {"pre_tokenizer": {"type": "Metaspace"}}),
        ("byte_level_bpe", {"model": {"type": "BPE", "byte_fallback": True}}),
    ],
)
def test_an_unproven_family_is_refused(trained: Path, family: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not known to agree for this family"):
        disputed(trained / family, **changes)


def test_one_different_word_in_the_vocabulary_is_found(minilm: Path, tmp_path: Path) -> None:
    spec = json.loads((minilm / "tokenizer.json").read_text())
    vocabulary = spec["model"]["vocab"]
    vocabulary["zeppelin"], vocabulary["##zing"] = vocabulary["##zing"], vocabulary["zeppelin"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(spec))
    reference = ReferenceTokenizer(tmp_path / "tokenizer.json")
    compiled = CompiledTokenizer(minilm / "openvino_tokenizer.xml")
    with pytest.raises(ValueError, match="they disagree on"):
        disputed_texts(reference.spec, reference, compiled)
