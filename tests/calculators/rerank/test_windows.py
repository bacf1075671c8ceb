"""Queries and documents too long for one look: what is read of them, and what is said about the rest."""

from typing import Any

import numpy as np
import pytest

from calcgraph.calculators.rerank.values import Pairs
from calcgraph.calculators.rerank.windows import EncodedPair, LongDocuments, Reading
from calcgraph.calculators.tokenization.pairs import PairLayout, typed
from calcgraph.runtime.errors import RequestError

# [1] query [2] document [2], the document's half of type 1; numbers below tell the tokens apart.
LAYOUT = PairLayout(typed(np.array([1])), typed(np.array([2])), typed(np.array([2]), 1), (0, 1))
QUERY, DOCUMENT = 100, 500


def reading(**settings: Any) -> Reading:
    settings = {"long_documents": LongDocuments.CHUNK, "max_sequences": 100, **settings}
    return Reading(LAYOUT, 23, **settings)


def pair(query: int, document: int) -> EncodedPair:
    return EncodedPair(QUERY + np.arange(query), DOCUMENT + np.arange(document))


def seen(pairs: Pairs) -> list[tuple[int, list[int]]]:
    """Of each sequence, the length of its query and the document's tokens in it."""
    found = []
    for ids, types in pairs.sequences:
        assert ids[0] == 1
        assert (ids == 2).sum() == 2
        document = ids[ids >= DOCUMENT]
        assert (types == (np.arange(len(ids)) > np.flatnonzero(ids == 2)[0])).all()
        found.append(
            (int(((ids >= QUERY) & (ids < DOCUMENT)).sum()), (document - DOCUMENT).tolist())
        )
    return found


def test_what_fits_is_read_at_once() -> None:
    pairs = reading().read([pair(5, 15), pair(5, 0)])
    assert seen(pairs) == [(5, list(range(15))), (5, [])]
    assert pairs.owners.tolist() == [0, 1]
    assert (pairs.tokens, pairs.warnings) == (31, [])


@pytest.mark.parametrize(
    ("overlap", "starts"), [(0, [0, 15, 30]), (3, [0, 12, 24]), (5, [0, 10, 20])]
)
def test_windows_cover_a_long_document_and_overlap_as_asked(
    overlap: int, starts: list[int]
) -> None:
    pairs = reading(overlap=overlap).read([pair(5, 32)])
    windows = [tokens for _, tokens in seen(pairs)]
    assert [tokens[0] for tokens in windows] == starts
    assert all(len(tokens) == 15 for tokens in windows[:-1])
    assert {token for tokens in windows for token in tokens} == set(range(32))
    assert len(windows[-1]) > overlap
    assert pairs.owners.tolist() == [0] * len(starts)
    assert pairs.warnings == []


def test_a_long_query_leaves_half_to_the_documents() -> None:
    pairs = reading().read([pair(40, 20), pair(40, 3)])
    assert [length for length, _ in seen(pairs)] == [11, 11, 11, 11]
    assert pairs.owners.tolist() == [0, 0, 0, 1]
    assert pairs.warnings == ["Of the query's 40 tokens the first 11 were read."]


def test_truncating_keeps_one_sequence_a_document() -> None:
    pairs = reading(long_documents=LongDocuments.TRUNCATE).read([pair(5, 40), pair(12, 40)])
    assert [(length, len(tokens)) for length, tokens in seen(pairs)] == [(5, 15), (10, 10)]
    assert pairs.warnings == [
        "Of the query's 12 tokens the first 10 were read.",
        "Only the beginning was read of documents[0], documents[1].",
    ]


def test_many_cut_documents_are_counted() -> None:
    pairs = reading(long_documents=LongDocuments.TRUNCATE).read([pair(5, 40)] * 8)
    assert pairs.warnings[-1].endswith("documents[3], documents[4] and 3 more.")


def test_a_prompt_is_not_cut() -> None:
    prompt = reading(cuts_queries=False)
    assert [length for length, _ in seen(prompt.read([pair(16, 6)]))] == [16, 16]
    with pytest.raises(RequestError, match="however the query has 20 tokens") as raised:
        prompt.read([pair(17, 6)])
    assert (raised.value.param, raised.value.reason) == ("query", "context_length_exceeded")
    whole = reading(cuts_queries=False, long_documents=LongDocuments.TRUNCATE).read([pair(16, 40)])
    assert seen(whole) == [(16, [0, 1, 2, 3])]


def test_refusing_names_the_document_and_its_tokens() -> None:
    strict = reading(long_documents=LongDocuments.REFUSE)
    with pytest.raises(
        RequestError,
        match=r"length is 23 tokens, however documents\[1\] and the query have 28 tokens",
    ) as raised:
        strict.read([pair(5, 15), pair(5, 20)])
    assert (raised.value.param, raised.value.reason) == ("documents", "context_length_exceeded")


def test_the_caller_can_ask_for_less() -> None:
    pairs = reading().read([pair(5, 40), pair(5, 10)], max_chunks=2)
    assert pairs.owners.tolist() == [0, 0, 1]
    assert pairs.warnings == ["Only the beginning was read of documents[0]."]
    pairs = reading().read([pair(5, 40), pair(5, 10)], max_tokens=4)
    assert seen(pairs) == [(5, [0, 1, 2, 3]), (5, [0, 1, 2, 3])]


def test_more_sequences_than_allowed_are_refused() -> None:
    assert len(reading(max_sequences=4).read([pair(5, 40), pair(5, 10)]).sequences) == 4
    with pytest.raises(RequestError, match="more than 3 chunks") as raised:
        reading(max_sequences=3).read([pair(5, 40), pair(5, 10)])
    assert raised.value.param == "documents"
