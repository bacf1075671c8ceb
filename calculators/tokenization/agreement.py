"""For which texts does openvino_tokenizer.xml give the very ids of tokenizer.json?

The two are different programs. Fuzzing finds them apart on combining marks (OpenVINO does not
put them in canonical order), on case folding, on what Unicode added lately, on near ties of a
Unigram model, on a NUL at the end. Hence three conditions, each on the safe side:

1. The tokenizer is of a family that works a text off character by character and then word by
   word, without arithmetic: WordPiece as BERT has it, and BPE over bytes.
2. The text is made of PLAIN characters: none is a combining mark or composes with a neighbour,
   and none has a case that folds other than by lowering it. What happens to such a text follows
   from what happens to each character, and that is checked when the model loads.
3. No special token is written out in the text.

A text that fails 2 or 3 is called disputed: it goes to the reference.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from calcgraph.calculators.tokenization.ids import Encoder

PLAIN = (
    (0x0009, 0x000A),  # tab, newline
    (0x000D, 0x000D),  # carriage return
    (0x0020, 0x007E),  # ASCII
    (0x00A1, 0x00AC),  # Latin-1 without the no-break space and the soft hyphen
    (0x00AE, 0x017F),  # the rest of it and Latin Extended-A
    (0x0400, 0x045F),  # Cyrillic
    (0x2010, 0x2027),  # dashes, quotation marks, ellipsis
    (0x20AC, 0x20AC),  # euro
    (0x3001, 0x3002),  # comma and full stop of Chinese and Japanese
    (0x300C, 0x300F),  # and their quotation marks
    (0x3041, 0x3096),  # hiragana
    (0x30A1, 0x30FC),  # katakana
    (0x4E00, 0x9FA5),  # Chinese characters
    (0xAC00, 0xD7A3),  # Hangul syllables
    (0xFF01, 0xFF0F),  # full-width punctuation
    (0xFF1A, 0xFF20),
)

# Besides the words of the vocabulary, texts that tell two tokenizers apart whatever their words: spaces, punctuation, case, numbers,
# words too long for any vocabulary, and more tokens than a truncating tokenizer lets pass.
PROBES = (
    "",
    " ",
    "Hello, world!  It's 12:30 -- isn't it?\n\n\tYes... (3.14) {a_b} <c> http://d.e/f?g=h&i#j",
    "Donaudampfschifffahrtsgesellschaft " + "pneumono" * 20 + " " + "q" * 100 + " " + "z" * 101,
    "a1 " * 20_000,
)

_RUN = 64  # characters or words checked in one text


def disputed_texts(
    spec: Mapping[str, Any], reference: Encoder, compiled: Encoder
) -> re.Pattern[str]:
    """A pattern found in every text on which `compiled` is not known to equal `reference`.

    `spec` is the content of tokenizer.json. A ValueError says why there is no such pattern.
    """
    if not (_is_wordpiece(spec) or _is_byte_level_bpe(spec)):
        raise ValueError("they are not known to agree for this family of tokenizers")
    probes = [*PROBES, *_vocabulary(spec)]
    for probe, alike in zip(probes, _alike(reference, compiled, probes), strict=True):
        if not alike:
            raise ValueError(f"they disagree on {probe[:60]!r} ({len(probe)} characters)")
    added = [str(token["content"]) for token in spec.get("added_tokens", ())]
    plain = _agreed_characters(reference, compiled) - set(map(_mark, added))
    written_out = [f"(?i:{re.escape(token)})" for token in added if not _mark(token)]
    return re.compile("|".join([f"[^{_ranges(plain)}]", *written_out]))


def _is_wordpiece(spec: Mapping[str, Any]) -> bool:
    types = [_type(spec.get(part)) for part in ("normalizer", "pre_tokenizer", "model")]
    return types == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]


def _is_byte_level_bpe(spec: Mapping[str, Any]) -> bool:
    model, pre = spec["model"], spec.get("pre_tokenizer") or {}
    steps = [_type(step) for step in pre.get("pretokenizers", [pre])]
    return (
        _type(model) == "BPE"
        and not any(model.get(o) for o in ("dropout", "byte_fallback", "ignore_merges"))
        and _type(spec.get("normalizer")) in (None, "NFC")
        and steps[-1] == "ByteLevel"
        and set(steps) <= {"Split", "Digits", "ByteLevel"}
    )


def _type(part: Mapping[str, Any] | None) -> str | None:
    return None if part is None else part.get("type")


def _mark(token: str) -> str:
    """The character that gives a special token away ("[" of "[CLS]"), "" if it is all words."""
    return next((c for c in token if not c.isalnum() and not c.isspace()), "")


def _vocabulary(spec: Mapping[str, Any]) -> list[str]:
    words = [word for word in spec["model"]["vocab"] if word.isascii() and word.isalnum()]
    return [" ".join(words[i : i + _RUN]) for i in range(0, len(words), _RUN)]


def _agreed_characters(reference: Encoder, compiled: Encoder) -> set[str]:
    """The PLAIN characters which both treat alike: alone, inside a word, and doubled."""
    characters = [chr(c) for first, last in PLAIN for c in range(first, last + 1)]
    simple = [c for c in characters if c.lower() == c.casefold() and len(c.lower()) == 1]
    runs = [simple[i : i + _RUN] for i in range(0, len(simple), _RUN)]
    texts = [" ".join(map(_probe, run)) for run in runs]
    agreed: set[str] = set()
    for run, alike in zip(runs, _alike(reference, compiled, texts), strict=True):
        if alike:
            agreed.update(run)
        else:  # rare: find out which of them it is
            alone = _alike(reference, compiled, [_probe(c) for c in run])
            agreed.update(c for c, same in zip(run, alone, strict=True) if same)
    return agreed


def _probe(character: str) -> str:
    return f"{character} a{character}b {character}{character}"


def _alike(reference: Encoder, compiled: Encoder, texts: Sequence[str]) -> list[bool]:
    pairs = zip(reference.encode(texts), compiled.encode(texts), strict=True)
    return [np.array_equal(left, right) for left, right in pairs]


def _ranges(characters: Iterable[str]) -> str:
    """The characters as the inside of a [...] of a regular expression."""
    runs: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in runs)
