"""Which texts a file holds, and what is said of a file that holds none."""

import itertools
from pathlib import Path

import pytest

from calcgraph.tools.bench.documents import BadDataset, read, synthetic, token_counter

ENCODER = Path(__file__).parents[1] / "data" / "encoders" / "bert"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'id,text\n1,one\n2,"two, three"\n3,\n'),
        ("a.jsonl", '{"text": "one"}\n\n"two, three"\n'),
        ("a.txt", "one\n\ntwo, three\n"),
        ("A.TXT", "one\r\ntwo, three"),
    ],
)
def test_texts_are_read(tmp_path: Path, name: str, content: str) -> None:
    assert read(write(tmp_path, name, content)) == ["one", "two, three"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,body\n1,x\n", "a.csv:1: expected a column 'text', found id, body"),
        ("a.csv", "", "a.csv:1: expected a column 'text'"),
        ("a.jsonl", '{"text": "x"}\n{"body": 1}\n', 'a.jsonl:2: expected {"text": "..."}'),
        ("a.jsonl", "{\n", "a.jsonl:1: not JSON"),
        ("a.txt", "\n\n", "holds no texts"),
        ("a.txt", b"\xff\xfe", "is not UTF-8"),
        ("a.parquet", "", "expected 'synthetic' or a file named *.csv, *.jsonl, *.txt"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(BadDataset) as error:
        read(write(tmp_path, name, content))
    assert message in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="No such file"):
        read(tmp_path / "a.csv")


def test_a_synthetic_text_has_its_length_in_tokens() -> None:
    first, second = itertools.islice(synthetic(5), 2)
    assert first == second == "hi hi hi hi hi "


def test_tokens_are_counted_without_special_ones() -> None:
    count = token_counter(ENCODER)
    assert count(["", "a a"]) == [0, 2]
    assert token_counter(ENCODER / "tokenizer.json")(["a"]) == [1]


def test_a_missing_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="--tokenizer"):
        token_counter(tmp_path)
