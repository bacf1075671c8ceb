"""Pairs that are put together from their texts equal those that HF `tokenizers` encodes."""

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from calcgraph.calculators.tokenization.pairs import longest_first
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer
from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer

RERANKERS = Path(__file__).parents[2] / "data" / "rerankers"
FAMILIES = ["bert", "roberta", "xlm-roberta", "qwen3"]


@pytest.fixture(params=FAMILIES)
def folder(request: pytest.FixtureRequest) -> Path:
    return RERANKERS / str(request.param)


def peer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def test_ids_and_types_of_a_pair_are_those_of_hf(folder: Path) -> None:
    tokenizer = ModelTokenizer.open(folder)
    assert tokenizer.reference is not None
    layout, hf = tokenizer.reference.pair_layout(), peer(folder)
    stored = json.loads((folder / "expected.json").read_text())
    texts = [*stored["documents"], *(case["query"] for case in stored["cases"])]
    ids = tokenizer.encode(texts, add_special_tokens=False)
    for first, first_ids in zip(texts, ids, strict=True):
        for second, second_ids in zip(texts, ids, strict=True):
            encoding = hf.encode(first, second)
            assert layout.join(first_ids, second_ids).tolist() == [encoding.ids, encoding.type_ids]


@pytest.mark.parametrize(
    ("family", "specials", "types"),
    [("bert", 3, (0, 1)), ("roberta", 4, (0, 0)), ("xlm-roberta", 4, (0, 0)), ("qwen3", 0, (0, 1))],
)
def test_the_layout_is_the_familys(family: str, specials: int, types: tuple[int, int]) -> None:
    layout = ReferenceTokenizer(RERANKERS / family / "tokenizer.json").pair_layout()
    assert (len(layout), layout.types) == (specials, types)
    bare = layout.untyped().join(np.array([7]), np.array([8, 9]))
    assert bare[0].tolist() == layout.join(np.array([7]), np.array([8, 9]))[0].tolist()
    assert not bare[1].any()


@pytest.mark.parametrize("limit", [5, 8, 9, 16])
def test_the_longer_text_gives_way_first_as_in_hf(limit: int) -> None:
    hf = peer(RERANKERS / "bert")
    hf.enable_truncation(limit)
    for first in range(18):
        for second in range(18):
            places = hf.encode("a " * first, "z " * second).sequence_ids
            kept = (places.count(0), places.count(1))
            assert longest_first(first, second, limit - 3) == kept, (first, second)


def test_a_text_is_split_before_the_token_that_reaches_over_the_place(folder: Path) -> None:
    tokenizer = ReferenceTokenizer(folder / "tokenizer.json")
    text = "The ferry, at seven.  naïve 👍🏽 "
    whole = peer(folder).encode(text, add_special_tokens=False)
    for place in range(len(text) + 1):
        before, after = tokenizer.encode_split(text, place)
        assert [*before, *after] == whole.ids
        assert all(end <= place for _, end in whole.offsets[: len(before)])
        assert not len(after) or whole.offsets[len(before)][1] > place
