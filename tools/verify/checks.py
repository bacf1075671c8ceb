"""The checks, in the order of the table: each names one fault, and says what to do about it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.runtime.errors import StatusError
from calcgraph.tools.verify.reference import Vectors, unit
from calcgraph.tools.verify.subject import Subject, cosines

_UNIT: Final = 0.01
"""How far from 1 the length of a unit vector may be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`passed` None: it could not be told, and `evidence` says why."""

    check: str
    passed: bool | None
    evidence: str
    advice: str = ""


Found = tuple[bool | None, str] | tuple[bool | None, str, str]


def verify(subject: Subject) -> list[Verdict]:
    """A verdict of every check. What the server refuses fails the check that asked for it."""
    return [_verdict(name, check, subject) for name, check in _CHECKS.items()]


def _verdict(name: str, check: Callable[[Subject], Found], subject: Subject) -> Verdict:
    try:
        return Verdict(name, *check(subject))
    except StatusError as error:
        return Verdict(name, False, str(error), "see what the server says, and its log")


def _token_ids(subject: Subject) -> Found:
    expected = [
        _core(ids, *_specials(subject.reference.token_ids)) for ids in subject.reference.token_ids
    ]
    found = [_core(ids, *_specials(subject.tokens)) for ids in subject.tokens]
    for text, one, other in zip(subject.reference.texts, found, expected, strict=True):
        if not np.array_equal(one, other):
            return (
                False,
                f"{text[:40]!r} is {_shown(one)}, expected {_shown(other)}",
                "copy tokenizer.json and tokenizer_config.json of the model as it was published",
            )
    return True, f"{len(found)} texts, {sum(map(len, found))} tokens"


def _special_tokens(subject: Subject) -> Found:
    found, expected = _specials(subject.tokens), _specials(subject.reference.token_ids)
    shown = f"{found[0]} ... {found[1]}"
    if found == expected:
        return True, shown
    return (
        False,
        f"texts stand between {shown}, expected {expected[0]} ... {expected[1]}",
        "the post_processor of tokenizer.json adds them: copy the file as it was published",
    )


def _max_tokens(subject: Subject) -> Found:
    expected = subject.reference.max_tokens
    if expected is None:
        return None, "no file says how many tokens the model reads"
    found = subject.details.get("max_tokens")
    if found is not None and found != expected:
        return (
            False,
            f"the server reads up to {found} tokens, the model {expected}",
            "set max_length of the Tokenizer node in graph.pbtxt, or take it out",
        )
    read = _read_of_a_long_text(subject, expected)
    if read is not None and read > expected:
        return False, f"{read} tokens were read, the model reads {expected}", "limit the length"
    return True, f"{expected}; what is longer is " + ("refused" if read is None else "cut or split")


def _read_of_a_long_text(subject: Subject, limit: int) -> int | None:
    """How many tokens at once are read of a text twice as long as the limit; None when it is refused."""
    ids = [int(i) for i in max(subject.tokens, key=len)[1:-1]]
    text = " ".join(subject.reference.texts) + " "
    text *= 2 * limit // max(len(ids), 1) + 1
    try:
        answer = subject.endpoint.ask("embeddings", input=[text])
    except StatusError:
        return None
    if "chunked" in answer.get("usage", {}):
        return limit
    return int(answer["usage"]["prompt_tokens"])


def _token_types(subject: Subject) -> Found:
    if subject.folder is None:
        return None, "the model's inputs cannot be seen from outside"
    from calcgraph.tools.verify.files import declares_token_types, input_names

    if not declares_token_types(subject.folder):
        return True, "the model has one type of token"
    if "token_type_ids" in input_names(subject.folder) or _agrees(subject) in (True, None):
        return True, "the model takes token_type_ids, or is right without"
    return (
        False,
        "config.json has more than one type of token and openvino_model.xml no input token_type_ids",
        "export the model again: the vectors of token types were left out",
    )


def _pooling(subject: Subject) -> Found:
    reference = subject.reference
    if reference.pooling is None:
        return None, "no file says how the model pools (modules.json is missing)"
    if reference.dense and reference.pooling not in reference.by_pooling:
        return None, "behind Dense layers it cannot be told apart"
    fits = {
        name: _likeness(subject.alone, rows)
        for name, rows in reference.by_pooling.items()
        if rows.shape == subject.alone.shape
    }
    if not fits:
        return None, "the vectors are of another size than the model's tokens (see Dense)"
    best = max(fits, key=lambda name: (fits[name], name == reference.pooling))
    # Not <: a NaN is worse than any number.
    if not fits[best] >= subject.floor:
        return (
            None,
            f"no pooling gives these vectors (the nearest is {best}: {fits[best]:.4f}); see vectors",
        )
    if best == reference.pooling or fits[reference.pooling] >= fits[best]:
        return True, f"{best}, cosine at least {fits[best]:.4f}"
    return (
        False,
        f"the server takes {best}, the model was trained with {reference.pooling}",
        f"set pooling: {reference.pooling} in the Pooling node of graph.pbtxt",
    )


def _likeness(found: Vectors, expected: Vectors) -> float:
    """The least cosine of unit vectors, seen from the middle of the expected ones."""
    expected = unit(expected)
    return float(cosines(unit(found), expected, expected.mean(axis=0)).min())


def _dense(subject: Subject) -> Found:
    layers, expected = subject.reference.dense, subject.reference.vectors
    if not layers or expected is None:
        return True, "the model has none"
    size = subject.alone.shape[1]
    if size != expected.shape[1]:
        return (
            False,
            f"vectors have {size} numbers, behind its {layers} Dense layers the model gives {expected.shape[1]}",
            "export the model again, from a folder with its 2_Dense",
        )
    if _agrees(subject):
        return True, f"{layers} layers"
    return (
        False,
        f"the vectors are not those behind the {layers} Dense layers",
        "export the model again",
    )


def _normalization(subject: Subject) -> Found:
    lengths = np.linalg.norm(subject.alone, axis=1)
    is_unit = bool(np.all(np.abs(lengths - 1) < _UNIT))
    shown = f"vectors are {lengths.min():.3f} to {lengths.max():.3f} long"
    wanted = subject.reference.normalize
    if wanted is None:
        return None, f"no file says whether the model normalizes; {shown}"
    if is_unit or not wanted:
        return True, shown
    return False, f"{shown}, expected 1", "set enabled: true in the Normalize node of graph.pbtxt"


def _prompts(subject: Subject) -> Found:
    prompts = subject.reference.prompts
    text = subject.reference.texts[0]
    if not prompts:
        return _no_prompt(subject, text)
    for name, prompt in prompts.items():
        asked = subject.embed([text], prompt_name=name)
        written = subject.embed([prompt + text])
        if not subject.cosines(asked, written)[0] >= subject.same_text:
            return (
                False,
                f"prompt {name!r} is not {prompt[:40]!r}",
                "correct it in the PromptTemplate node of graph.pbtxt",
            )
    default = subject.reference.default_prompt
    plain = subject.embed([text], encoding_format="float")
    expected = subject.embed([prompts.get(default or "", "") + text])
    if not subject.cosines(plain, expected)[0] >= subject.same_text:
        return False, f"the default prompt is not {default!r}", "set default_prompt in graph.pbtxt"
    return True, ", ".join(prompts)


def _no_prompt(subject: Subject, text: str) -> Found:
    try:
        without = subject.embed([text], instruction="")
    except StatusError:  # its graph has no PromptTemplate
        return True, "the model has none"
    if subject.cosines(subject.embed([text]), without)[0] >= subject.same_text:
        return True, "the model has none"
    return (
        False,
        "the server puts words before texts, and the model was trained without",
        "take default_prompt out of the PromptTemplate node of graph.pbtxt",
    )


def _vectors(subject: Subject) -> Found:
    expected = subject.reference.vectors
    if expected is None:
        return None, "what they should be is not known without a pooling: give --reference"
    if expected.shape != subject.alone.shape:
        return (
            False,
            f"they have {subject.alone.shape[1]} numbers, expected {expected.shape[1]}",
            "it is another model, or Dense layers are missing: export it again",
        )
    expected = unit(expected)
    found = cosines(unit(subject.alone), expected, expected.mean(axis=0))
    worst = int(np.argmin(found))
    if found[worst] >= subject.floor:
        return (
            True,
            f"cosine with {subject.reference.origin}: {found.mean():.5f}, at least {found[worst]:.5f}",
        )
    return (
        False,
        f"cosine {found[worst]:.4f} for {subject.reference.texts[worst][:40]!r}, expected at least {subject.floor}",
        "mend what fails above; if nothing does, the weights are not the model's: export it again",
    )


def _agrees(subject: Subject) -> bool | None:
    """Whether the vectors are those of the reference, None when these are not known."""
    return _vectors(subject)[0]


def _nan(subject: Subject) -> Found:
    if subject.folder is not None:
        from calcgraph.tools.verify.files import not_finite

        damaged = not_finite(subject.folder)
        if damaged:
            return False, f"openvino_model.bin: {damaged} is not finite", "export the model again"
    finite = np.isfinite(subject.alone).all(axis=1)
    if finite.all():
        return True, "all numbers are finite"
    text = subject.reference.texts[int(np.argmin(finite))]
    return False, f"the vector of {text[:40]!r} is not finite", "export the model again"


def _company(name: str) -> Callable[[Subject], Found]:
    def check(subject: Subject) -> Found:
        found = subject.cosines(getattr(subject, name), subject.alone)
        worst = int(np.argmin(found))
        if found[worst] >= subject.same_text:
            return True, f"cosine with each text alone at least {found[worst]:.6f}"
        return (
            False,
            f"{subject.reference.texts[worst][:40]!r} has cosine {found[worst]:.4f} with itself alone",
            "the server mixes texts up: do not use it, and report it with this table",
        )

    return check


def _padding_side(subject: Subject) -> Found:
    lengths = [len(ids) for ids in subject.tokens]
    short, long = int(np.argmin(lengths)), int(np.argmax(lengths))
    texts = subject.reference.texts
    for pair in ((short, long), (long, short)):
        found = subject.cosines(subject.embed([texts[i] for i in pair]), subject.alone[list(pair)])
        if not found.min() >= subject.same_text:
            return (
                False,
                f"beside a longer text {texts[short][:40]!r} has cosine {found.min():.4f} with itself alone",
                "the padding is read as text: set padding_side of tokenizer_config.json as published",
            )
    return True, f"{lengths[short]} tokens beside {lengths[long]}"


def _ids_as_input(subject: Subject) -> Found:
    if subject.details.get("token_input", "model") != "model":
        return None, f"token ids are {subject.details['token_input']}'s here"
    ids = [[int(i) for i in each] for each in subject.tokens]
    found = subject.cosines(subject.embed(ids, encoding_format="float"), subject.alone)
    if found.min() >= subject.same_text:
        return True, "token ids give the vectors of their texts"
    return (
        False,
        f"token ids give another vector than their text (cosine {found.min():.4f})",
        "send texts",
    )


def _base64(subject: Subject) -> Found:
    answer = subject.endpoint.ask(
        "embeddings", input=[subject.reference.texts[0]], encoding_format="base64"
    )
    coded = answer["data"][0]["embedding"]
    if not isinstance(coded, str):
        return (
            False,
            "encoding_format: base64 is ignored",
            "OpenAI's clients ask for it: use another server",
        )
    plain = subject.endpoint.ask(
        "embeddings", input=[subject.reference.texts[0]], encoding_format="float"
    )
    found = np.frombuffer(base64.b64decode(coded), "<f4")
    expected = np.array(plain["data"][0]["embedding"], np.float32)
    if found.shape == expected.shape and np.allclose(found, expected, atol=1e-5):
        return True, f"{len(found)} numbers, as in the list"
    return False, "base64 holds other numbers than the list", "use another server"


def _dimensions(subject: Subject) -> Found:
    wanted = max(subject.alone.shape[1] // 2, 1)
    found = subject.embed(subject.reference.texts[:1], dimensions=wanted, **_plain(subject))
    expected = subject.alone[:1, :wanted]
    if found.shape[1] != wanted:
        return False, f"asked for {wanted} numbers, {found.shape[1]} came", "do not send dimensions"
    middle = unit(subject.alone[:, :wanted]).mean(axis=0)
    if not cosines(unit(found), unit(expected), middle)[0] >= subject.same_text:
        return False, "they are not the leading numbers of the vector", "do not send dimensions"
    if subject.reference.normalize and not abs(np.linalg.norm(found) - 1) < _UNIT:
        return (
            False,
            f"{wanted} numbers are {np.linalg.norm(found):.3f} long, expected 1",
            "normalize them after they are cut, or do not send dimensions",
        )
    return True, f"{wanted} of {subject.alone.shape[1]}, normalized as the whole"


def _plain(subject: Subject) -> Mapping[str, Any]:
    return {"instruction": ""} if subject.reference.prompts else {}


def _specials(sequences: Sequence[Ids]) -> tuple[list[int], list[int]]:
    """What all token sequences begin and end with."""
    rows = [[int(i) for i in ids] for ids in sequences]
    leading = _common(rows)
    trailing = _common([row[len(leading) :][::-1] for row in rows])
    return leading, trailing[::-1]


def _common(rows: Sequence[Sequence[int]]) -> list[int]:
    same: list[int] = []
    for column in zip(*rows, strict=False):
        if len(set(column)) > 1:
            break
        same.append(column[0])
    return same


def _core(ids: Ids, leading: Sequence[int], trailing: Sequence[int]) -> Ids:
    return ids[len(leading) : len(ids) - len(trailing)]


def _shown(ids: Ids) -> str:
    more = ", ..." if len(ids) > 8 else ""
    return f"[{', '.join(str(int(i)) for i in ids[:8])}{more}] ({len(ids)})"


_CHECKS: Final[Mapping[str, Callable[[Subject], Found]]] = {
    "token ids": _token_ids,
    "special tokens": _special_tokens,
    "max length": _max_tokens,
    "token types": _token_types,
    "pooling": _pooling,
    "Dense": _dense,
    "normalization": _normalization,
    "prompts": _prompts,
    "vectors": _vectors,
    "NaN": _nan,
    "batch": _company("together"),
    "packing": _company("at_once"),
    "padding side": _padding_side,
    "token ids as input": _ids_as_input,
    "base64": _base64,
    "dimensions": _dimensions,
}
