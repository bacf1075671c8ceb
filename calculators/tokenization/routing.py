"""Two tokenizers for one model: each text takes the faster way that is known to be right."""

from collections.abc import Sequence

from calcgraph.calculators.tokenization.agreement import disputed_texts
from calcgraph.calculators.tokenization.compiled import CompiledTokenizer
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer

# OpenVINO asks 100 to 150 us a call, then is three to eight times as fast as the reference: at
# this many characters they are even (benchmarks/tokenization.py).
WORTHWHILE_CHARACTERS = 1_000


class RoutedTokenizer:
    """Gives the ids of `reference`, by way of `compiled` where that is quicker.

    A ValueError says why `compiled` cannot be trusted with any text.
    """

    def __init__(self, reference: ReferenceTokenizer, compiled: CompiledTokenizer) -> None:
        self._reference = reference
        self._compiled = compiled
        self._disputed = disputed_texts(reference.spec, reference, compiled)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        if sum(map(len, texts)) < WORTHWHILE_CHARACTERS:
            return self._reference.encode(texts)
        search = self._disputed.search
        plain = [i for i, text in enumerate(texts) if search(text) is None]
        if sum(len(texts[i]) for i in plain) < WORTHWHILE_CHARACTERS:
            return self._reference.encode(texts)
        encoded = dict(zip(plain, self._compiled.encode([texts[i] for i in plain]), strict=True))
        if rest := [i for i in range(len(texts)) if i not in encoded]:
            encoded |= zip(rest, self._reference.encode([texts[i] for i in rest]), strict=True)
        return [encoded[i] for i in range(len(texts))]
