import logging
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from calcgraph.calculators.tokenization.agreement import PLAIN
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer
from calcgraph.calculators.tokenization.routing import RoutedTokenizer
from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer

ODD_TEXTS = [
    "",
    " ",
    "\0",
    "a\0b\0",
    "\x01\x02\x7f\x85",
    "[CLS] is [SEP] not [PAD] special [MASK]",
    "<s> is </s> not <pad>special<mask> <unk>",
    "[cls] [ CLS ] <S>",
    "e\u0301 is \u00e9, \u1e9b\u0323 is one character",
    "x" * 99 + " " + "y" * 100 + " " + "z" * 101 + " " + "é" * 101,
    "\u2028\u2029\u200b\ufeff\u00a0\u3000",
    "word " * 1_000,
    "Wort für Wort, " * 20_000,
]


def lists(encoded: Iterable[Ids]) -> list[list[int]]:
    return [ids.tolist() for ids in encoded]


def expected(hf: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [encoding.ids for encoding in hf.encode_batch(texts)]


def mismatches(tokenizer: ModelTokenizer, hf: Tokenizer, texts: list[str]) -> list[str]:
    encoded = lists(tokenizer.encode(texts))
    return [t for t, a, b in zip(texts, encoded, expected(hf, texts), strict=True) if a != b]


def with_files(target: Path, source: Path, pattern: str) -> Path:
    for file in source.glob(pattern):
        shutil.copy(file, target)
    return target


def test_5000_random_unicode_strings_have_the_ids_of_hf(
    tokenizer: ModelTokenizer, hf: Tokenizer, random_texts: list[str]
) -> None:
    assert mismatches(tokenizer, hf, random_texts) == []


def test_so_do_5000_strings_of_the_characters_that_openvino_may_take(
    tokenizer: ModelTokenizer, hf: Tokenizer
) -> None:
    dice = random.Random(21)
    ascii_only = [chr(c) for c in range(0x20, 0x7F)] + list("\n\t\r")
    plain = [chr(c) for first, last in PLAIN for c in range(first, last + 1)]
    alphabets = [ascii_only, plain, ascii_only + plain[:600], list("aeiost .,'?")]
    texts = [
        "".join(dice.choices(dice.choice(alphabets), k=dice.randint(0, 80))) for _ in range(5_000)
    ]
    assert mismatches(tokenizer, hf, texts) == []


def test_so_do_random_strings_one_at_a_time(
    tokenizer: ModelTokenizer, hf: Tokenizer, random_texts: list[str]
) -> None:
    one_at_a_time = [tokenizer.encode([text])[0] for text in random_texts[:500]]
    assert lists(one_at_a_time) == expected(hf, random_texts[:500])


def test_so_do_odd_texts_alone_and_in_a_batch(tokenizer: ModelTokenizer, hf: Tokenizer) -> None:
    assert mismatches(tokenizer, hf, ODD_TEXTS) == []
    for text in ODD_TEXTS:
        assert mismatches(tokenizer, hf, [text]) == []


@pytest.mark.parametrize("text", ["", " ", "\n", "\x01", "\u0301", "\u200b", "x" * 200])
def test_a_large_batch_of_nothing_much_is_a_batch(
    tokenizer: ModelTokenizer, hf: Tokenizer, text: str
) -> None:
    assert mismatches(tokenizer, hf, [text] * 1_500) == []


def test_ids_are_int64_and_no_texts_are_no_ids(tokenizer: ModelTokenizer) -> None:
    assert all(ids.dtype == np.int64 for ids in tokenizer.encode(["one", "two " * 1_000]))
    assert tokenizer.encode([]) == []


def test_special_tokens_can_be_left_out(
    tokenizer: ModelTokenizer, hf: Tokenizer, random_texts: list[str]
) -> None:
    texts = random_texts[:300] + ODD_TEXTS
    without = hf.encode_batch(texts, add_special_tokens=False)
    encoded = tokenizer.encode(texts, add_special_tokens=False)
    assert lists(encoded) == [encoding.ids for encoding in without]


@pytest.mark.parametrize("side", ["right", "left"])
def test_truncation_is_that_of_hf(
    tokenizer: ModelTokenizer, hf: Tokenizer, random_texts: list[str], side: str
) -> None:
    dice = random.Random(22)
    texts = [*random_texts[:200], *ODD_TEXTS[:-1]]
    for text, ids in zip(texts, tokenizer.encode(texts), strict=True):
        for limit in {2, 3, dice.randint(2, 60), len(ids) - 1, len(ids), len(ids) + 1} - {0, 1}:
            hf.enable_truncation(limit, direction=side)
            assert tokenizer.truncate(ids, limit, side).tolist() == hf.encode(text).ids


def test_truncation_leaves_room_for_the_special_tokens(tokenizer: ModelTokenizer) -> None:
    [ids] = tokenizer.encode(["some words"])
    with pytest.raises(ValueError, match="cannot truncate to 1 tokens: the special tokens alone"):
        tokenizer.truncate(ids, 1)


def test_decoding_is_that_of_hf(tokenizer: ModelTokenizer, hf: Tokenizer) -> None:
    [ids] = tokenizer.encode(["Unless required by applicable law, 100% of it"])
    assert tokenizer.decode(ids.tolist()) == hf.decode(ids.tolist())


def test_the_vocabulary_is_counted_with_added_tokens(
    tokenizer: ModelTokenizer, hf: Tokenizer
) -> None:
    assert tokenizer.vocab_size == hf.get_vocab_size(with_added_tokens=True)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["fine", "bad \ud800!"], ValueError, r"text 1 .*lone surrogate U\+D800 at character 4"),
        (["fine " * 400, "bad \udfff"], ValueError, r"text 1 .*U\+DFFF at character 4"),
        (["fine", None], TypeError, "text 1 is NoneType, not str"),
        (["fine", b"bytes"], TypeError, "text 1 is bytes, not str"),
    ],
)
def test_a_wrong_text_is_named_by_its_index(
    tokenizer: ModelTokenizer, texts: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        tokenizer.encode(texts)


def test_threads_share_a_tokenizer(
    tokenizer: ModelTokenizer, hf: Tokenizer, random_texts: list[str]
) -> None:
    batches = [[*random_texts[i : i + 50], "plain words " * 200] for i in range(0, 2_000, 50)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(tokenizer.encode, batches))
    assert [lists(answer) for answer in answers] == [expected(hf, batch) for batch in batches]


@pytest.mark.parametrize(
    ("family", "encoder"),
    [
        ("minilm", RoutedTokenizer),
        ("byte_level_bpe", RoutedTokenizer),
        ("unigram", ReferenceTokenizer),
    ],
)
def test_openvino_helps_in_the_families_where_it_is_known_to_agree(
    request: pytest.FixtureRequest, trained: Path, family: str, encoder: type
) -> None:
    folder = request.getfixturevalue("minilm") if family == "minilm" else trained / family
    assert type(ModelTokenizer.open(folder).encoder) is encoder


def test_a_folder_with_tokenizer_json_alone_will_do(
    folder: Path, hf: Tokenizer, random_texts: list[str], tmp_path: Path
) -> None:
    alone = ModelTokenizer.open(with_files(tmp_path, folder, "tokenizer.json"))
    assert mismatches(alone, hf, random_texts[:500] + ODD_TEXTS) == []


def test_a_folder_with_the_openvino_tokenizer_alone_will_do_for_plain_texts(
    folder: Path, hf: Tokenizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = ModelTokenizer.open(with_files(tmp_path, folder, "openvino_*"))
    assert "has no tokenizer.json" in caplog.text
    texts = ["", "Unless required by law", "words " * 2_000, "Ein Gespräch über Tee"]
    assert mismatches(alone, hf, texts) == []
    assert mismatches(alone, hf, [""]) == mismatches(alone, hf, [""] * 20) == []
    [ids] = alone.encode(["Unless required by law"])
    hf.enable_truncation(4)
    assert alone.truncate(ids, 4).tolist() == hf.encode("Unless required by law").ids
    assert alone.vocab_size is None


def test_the_openvino_detokenizer_decodes_when_it_is_there(trained: Path, tmp_path: Path) -> None:
    alone = ModelTokenizer.open(with_files(tmp_path, trained / "byte_level_bpe", "openvino_*"))
    [ids] = alone.encode(["Unless required by law"])
    assert alone.decode(ids.tolist()) == "Unless required by law"
    for file in tmp_path.glob("openvino_detokenizer.*"):
        file.unlink()
    with pytest.raises(ValueError, match="no decoding without"):
        ModelTokenizer.open(tmp_path).decode(ids.tolist())


def test_the_tokenizer_of_another_model_stays_unused(
    minilm: Path, trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "calcgraph")
    with_files(tmp_path, minilm, "tokenizer.json")
    with_files(tmp_path, trained / "byte_level_bpe", "openvino_tokenizer.*")
    mixed = ModelTokenizer.open(tmp_path)
    assert "openvino_tokenizer.xml is not used: they disagree on" in caplog.text
    assert lists(mixed.encode(["hello world"])) == [[101, 7592, 2088, 102]]


def test_an_openvino_tokenizer_that_does_not_load_stays_unused(
    minilm: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "calcgraph")
    with_files(tmp_path, minilm, "tokenizer.json")
    (tmp_path / "openvino_tokenizer.xml").write_text("<net/>")
    assert lists(ModelTokenizer.open(tmp_path).encode(["hello"])) == [[101, 7592, 102]]
    assert "openvino_tokenizer.xml is not used" in caplog.text


def test_a_folder_without_a_tokenizer_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"neither tokenizer\.json nor openvino_tokenizer"):
        ModelTokenizer.open(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "openvino_tokenizer.xml"])
def test_a_damaged_tokenizer_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"version": "1.0"')
    with pytest.raises(ValueError, match=str(tmp_path)):
        ModelTokenizer.open(tmp_path)


def test_a_process_that_opened_a_tokenizer_exits_well(folder: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer\n"
        "tokenizer = ModelTokenizer.open(pathlib.Path(sys.argv[1]))\n"
        "tokenizer.encode(['words ' * 1000])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, b"")
