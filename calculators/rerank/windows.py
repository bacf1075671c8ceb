"""A query and a document that are too long for one look: windows, cutting, refusing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from calcgraph.calculators.rerank.values import Pairs
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.pairs import PairLayout, TypedIds, longest_first
from calcgraph.runtime.errors import RequestError

MIN_WINDOW: int = 4
"""Tokens of a document that must find room beside a query."""


class LongDocuments(Enum):
    """What becomes of a document that does not fit beside its query."""

    CHUNK = "CHUNK"
    TRUNCATE = "TRUNCATE"
    REFUSE = "REFUSE"


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """A query (or all of a prompt that comes before the document) and a document, as token ids."""

    query: Ids
    document: Ids


@dataclass(frozen=True, slots=True)
class Reading:
    """How pairs are fitted to a model that reads `limit` tokens."""

    layout: PairLayout
    limit: int
    long_documents: LongDocuments
    max_sequences: int
    """In one request, of all documents together."""
    overlap: int = 0
    """Tokens that a window shares with the one before it."""
    cuts_queries: bool = True
    """False for prompts, which say what is asked at their beginning and at their end."""

    @property
    def room(self) -> int:
        """Tokens for query and document together."""
        return self.limit - len(self.layout)

    def read(
        self,
        pairs: Sequence[EncodedPair],
        max_chunks: int | None = None,
        max_tokens: int | None = None,
    ) -> Pairs:
        """Sequences that the model can read. Raises RequestError for what must not or cannot be cut."""
        sequences: list[TypedIds] = []
        owners: list[int] = []
        unread = _Unread()
        for index, pair in enumerate(pairs):
            document = pair.document[:max_tokens]
            fitted = self._fit(index, EncodedPair(pair.query, document), unread)
            if max_chunks is not None and len(fitted) > max_chunks:
                fitted = fitted[:max_chunks]
                unread.documents.append(index)
            sequences += fitted
            owners += [index] * len(fitted)
            if len(sequences) > self.max_sequences:
                raise RequestError(
                    f"The documents make more than {self.max_sequences} chunks, the most that this model takes "
                    "in one request: send fewer or shorter documents.",
                    param="documents",
                    reason="too_many_chunks",
                )
        return Pairs(sequences, np.array(owners, np.intp), unread.warnings())

    def _fit(self, index: int, pair: EncodedPair, unread: _Unread) -> list[TypedIds]:
        query, document = pair.query, pair.document
        if len(query) + len(document) <= self.room:
            return [self.layout.join(query, document)]
        if self.long_documents is LongDocuments.REFUSE:
            raise self._too_long(
                f"documents[{index}] and the query have",
                len(query) + len(document) + len(self.layout),
                "documents",
            )
        if self.long_documents is LongDocuments.TRUNCATE:
            return [self._truncated(index, pair, unread)]
        query = self._short_query(query, unread)
        width = self.room - len(query)
        starts = range(0, max(1, len(document) - self.overlap), max(1, width - self.overlap))
        return [self.layout.join(query, document[at : at + width]) for at in starts]

    def _truncated(self, index: int, pair: EncodedPair, unread: _Unread) -> TypedIds:
        query, document = pair.query, pair.document
        if self.cuts_queries:
            keep, rest = longest_first(len(query), len(document), self.room)
        else:
            query = self._short_query(query, unread)
            keep, rest = len(query), min(len(document), self.room - len(query))
        if keep < len(query):
            unread.query = (len(query), keep)
        if rest < len(document):
            unread.documents.append(index)
        return self.layout.join(query[:keep], document[:rest])

    def _short_query(self, query: Ids, unread: _Unread) -> Ids:
        """A query that leaves room for a document: half of what the model reads, as in OVMS."""
        if len(query) + MIN_WINDOW <= self.room and not self.cuts_queries:
            return query
        most = max(1, min(self.limit // 2, self.room - MIN_WINDOW))
        if len(query) <= most:
            return query
        if not self.cuts_queries:
            raise self._too_long("the query has", len(query) + len(self.layout), "query")
        unread.query = (len(query), most)
        return query[:most]

    def _too_long(self, what: str, tokens: int, param: str) -> RequestError:
        return RequestError(
            f"This model's maximum context length is {self.limit} tokens, however {what} {tokens} tokens. "
            "Shorten it.",
            param=param,
            reason="context_length_exceeded",
        )


@dataclass(slots=True)
class _Unread:
    """What of a request the model does not see."""

    query: tuple[int, int] | None = None
    documents: list[int] = field(default_factory=list)

    def warnings(self) -> list[str]:
        found = []
        if self.query is not None:
            found.append(
                f"Of the query's {self.query[0]} tokens the first {self.query[1]} were read."
            )
        if self.documents:
            named = ", ".join(f"documents[{i}]" for i in self.documents[:5])
            more = len(self.documents) - 5
            also = f" and {more} more" if more > 0 else ""
            found.append(f"Only the beginning was read of {named}{also}.")
        return found
