"""Two tokenizers for one model: each text takes the faster way that is known to be right."""

from collections.abc import Sequence

from calcgraph.calculators.tokenization.agreement import disputed_texts
from calcgraph.calculators.tokenization.compiled import CompiledTokenizer
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer

# OpenVINO asks 100 to 150 us a call, then is three to eight times as fast as the reference: at
# this weight they are even (benchmarks/tokenization.py).
WORTHWHILE_WEIGHT = 1_000
# What a text costs on top of its characters.
_WEIGHT_OF_A_TEXT = 16


def weight(texts: Sequence[str]) -> int:
    """What it takes to tokenize the texts, in characters: one is 0.1 to 0.2 us of HF's time."""
    return sum(map(len, texts)) + _WEIGHT_OF_A_TEXT * len(texts)


class RoutedTokenizer:
    """Gives the ids of `reference`, by way of `compiled` where that is quicker.

    A ValueError says why `compiled` cannot be trusted with any text.
    """

    def __init__(self, reference: ReferenceTokenizer, compiled: CompiledTokenizer) -> None:
        self._reference = reference
        self._compiled = compiled
        self._disputed = disputed_texts(reference.spec, reference, compiled)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        if weight(texts) < WORTHWHILE_WEIGHT:
            return self._reference.encode(texts)
        search = self._disputed.search
        plain = [i for i, text in enumerate(texts) if search(text) is None]
        if weight([texts[i] for i in plain]) < WORTHWHILE_WEIGHT:
            return self._reference.encode(texts)
        encoded = dict(zip(plain, self._compiled.encode([texts[i] for i in plain]), strict=True))
        if rest := [i for i in range(len(texts)) if i not in encoded]:
            encoded |= zip(rest, self._reference.encode([texts[i] for i in rest]), strict=True)
        return [encoded[i] for i in range(len(texts))]
