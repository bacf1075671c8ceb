"""Tokenizers of three families, and HF `tokenizers` to compare with."""

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer

TRAINED = Path(__file__).parents[2] / "data" / "tokenizers"
FAMILIES = ["minilm", "byte_level_bpe", "unigram"]

RANGES = [
    *[(0x20, 0x7E)] * 8,
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xA0, 0x17F),
    (0x180, 0x2AF),
    (0x300, 0x36F),  # combining marks
    (0x370, 0x3FF),
    (0x400, 0x52F),
    (0x590, 0x6FF),  # Hebrew and Arabic
    (0x900, 0xDFF),
    (0xE00, 0xEFF),
    (0x1100, 0x11FF),  # Hangul jamo
    (0x1E00, 0x1FFF),
    (0x2000, 0x206F),  # joiners, directions, odd spaces
    (0x20A0, 0x2BFF),
    (0x3000, 0x30FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xE000, 0xE0FF),  # private use
    (0xF900, 0xFDFF),
    (0xFE00, 0xFFFF),
    (0x10000, 0x10FFFF),
    (0x1D400, 0x1D7FF),
    (0x1F1E6, 0x1F1FF),  # flags
    (0x1F300, 0x1FAFF),
    (0x20000, 0x2A6DF),
]
PHRASES = [
    "👩‍👩‍👧‍👦",
    "👍🏽",
    "❤️",
    "e\u0301",
    "q\u0323\u0307",
    "ﬁ",
    "ß",
    "İ",
    "Σίσυφος",
    "[CLS]",
    "</s>",
    "##s",
]


def random_text(dice: random.Random) -> str:
    pieces = []
    for _ in range(dice.randint(1, 10)):
        if dice.random() < 0.1:
            pieces.append(dice.choice(PHRASES))
        else:
            low, high = dice.choice(RANGES)
            pieces.append("".join(chr(dice.randint(low, high)) for _ in range(dice.randint(1, 8))))
    return dice.choice(["", " ", "  ", "\n"]).join(pieces)


@pytest.fixture(scope="session")
def random_texts() -> list[str]:
    """5,000 strings from all over Unicode, surrogates excepted."""
    dice = random.Random(20)
    return [random_text(dice) for _ in range(5_000)]


@pytest.fixture(scope="session", params=FAMILIES)
def folder(request: pytest.FixtureRequest) -> Path:
    """A folder with tokenizer.json and openvino_tokenizer.xml."""
    if request.param == "minilm":
        return request.getfixturevalue("minilm")
    return TRAINED / request.param


@pytest.fixture(scope="session")
def trained() -> Path:
    """The folder of the tokenizers trained for these tests."""
    return TRAINED


@pytest.fixture(scope="session")
def tokenizer(folder: Path) -> ModelTokenizer:
    return ModelTokenizer.open(folder)


@pytest.fixture
def hf(folder: Path) -> Tokenizer:
    """Ours to configure: each test gets its own."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
