"""From a query and documents to token ids that the reranker can read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from calcgraph.calculators.rerank.prompt import Prompt, known_prompt
from calcgraph.calculators.rerank.values import Pairs, RerankQuery
from calcgraph.calculators.rerank.windows import MIN_WINDOW, EncodedPair, LongDocuments, Reading
from calcgraph.calculators.tokenization.batching import TokenizerQueue, tokenization
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.calculators.tokenization.model_files import read_json
from calcgraph.calculators.tokenization.pairs import PairLayout, typed
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer
from calcgraph.calculators.tokenization.tokenizer import (
    REFERENCE_FILE,
    ModelTokenizer,
    check_texts,
)
from calcgraph.proto.rerank_pb2 import PairTokenizerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.fingerprint import FINGERPRINT, digest_of
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.plan import GraphPlan, NodePlan

MOST_TOKENS: Final = 8192
"""A pair at most, unless the graph says otherwise: some models could read forty thousand."""


PAIRS_ON_THE_LOOP: Final = 500
"""Laid out at once, in 5 ms; more would keep other requests waiting."""


class PairEncoder(Protocol):
    """The two ways to bring a query and a document into one sequence."""

    @property
    def layout(self) -> PairLayout: ...

    async def encode(self, asked: RerankQuery) -> list[EncodedPair]: ...


class PlainPairs:
    """A pair as the tokenizer itself makes it: [CLS] query [SEP] document [SEP] and the like."""

    def __init__(
        self, tokenizer: ModelTokenizer, queue: TokenizerQueue, layout: PairLayout
    ) -> None:
        self._special_tokens = tokenizer.special_tokens
        self._queue = queue
        self.layout = layout

    async def encode(self, asked: RerankQuery) -> list[EncodedPair]:
        if asked.instruction is not None:
            raise RequestError(
                "'instruction' is for models that read a prompt; this one reads the query and the document alone",
                param="instruction",
            )
        encoded = await self._queue.encode([asked.query, *asked.documents])
        query, *documents = map(self._special_tokens.strip, encoded)
        return [EncodedPair(query, document) for document in documents]


class Prompted:
    """A prompt around query and document."""

    def __init__(self, reference: ReferenceTokenizer, prompt: Prompt) -> None:
        self._reference = reference
        self._prompt = prompt
        prefix, suffix = (
            typed(reference.encode_split(text, 0)[1]) for text in (prompt.prefix, prompt.suffix)
        )
        self.layout = PairLayout(prefix, typed(prefix[0, :0]), suffix)

    async def encode(self, asked: RerankQuery) -> list[EncodedPair]:
        if asked.instruction is not None and not self._prompt.takes_instruction:
            raise RequestError(
                "'instruction' has no place in this model's prompt", param="instruction"
            )
        return await asyncio.to_thread(self._encode, asked)

    def _encode(self, asked: RerankQuery) -> list[EncodedPair]:
        check_texts([asked.query, *asked.documents])
        return [
            EncodedPair(
                *self._reference.encode_split(
                    *self._prompt.text(asked.query, document, asked.instruction)
                )
            )
            for document in asked.documents
        ]


@dataclass(frozen=True, slots=True)
class _Loaded:
    queue: TokenizerQueue
    encoder: PairEncoder
    prompt: Prompt | None
    reading: Reading
    digest: str


class PairTokenizer(Calculator):
    """Puts the query together with each document, as the model was trained to read them.

    A document that does not fit beside its query is read in windows, cut or refused.
    """

    inputs = {"INPUT": RerankQuery}
    outputs = {"PAIRS": Pairs}
    options = PairTokenizerOptions
    light = True
    stateless = True

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> _Loaded:
        options = node.options
        assert isinstance(options, PairTokenizerOptions)
        folder = node.base_path / options.models_path
        tokenizer = ModelTokenizer.open(folder)
        if tokenizer.reference is None:
            raise ValueError(f"reranking needs {folder / REFERENCE_FILE}, which is not there")
        prompt = _prompt(options, folder)
        queue = TokenizerQueue(tokenizer)
        encoder: PairEncoder
        if prompt is None:
            encoder = PlainPairs(tokenizer, queue, _layout(tokenizer.reference, folder))
        else:
            encoder = Prompted(tokenizer.reference, prompt)
        reading = Reading(
            layout=encoder.layout,
            limit=_limit(options, folder),
            long_documents=LongDocuments(
                PairTokenizerOptions.LongDocuments.Name(options.long_documents)
            ),
            max_sequences=options.max_allowed_chunks,
            overlap=options.overlap,
            cuts_queries=prompt is None,
        )
        _check(reading)
        return _Loaded(queue, encoder, prompt, reading, digest_of(folder / REFERENCE_FILE))

    @classmethod
    async def unload(cls, resource: _Loaded) -> None:
        await resource.queue.close()

    @classmethod
    def measurements(cls, resource: _Loaded) -> Iterable[Measurement]:
        yield tokenization(resource.queue)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: _Loaded, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        reading = resource.reading
        return {
            "max_tokens": reading.limit,
            FINGERPRINT: {
                "tokenizer": resource.digest,
                "prompt": str(resource.prompt),
                "limit": reading.limit,
                "long_documents": reading.long_documents.value,
                "overlap": reading.overlap,
            },
        }

    def open(self, cc: CalculatorContext) -> None:
        self.loaded: _Loaded = cc.resource

    async def process(self, cc: CalculatorContext) -> None:
        asked: RerankQuery = cc.inputs["INPUT"].value
        reading = self.loaded.reading
        if len(asked.documents) > reading.max_sequences:
            raise RequestError(
                f"{len(asked.documents)} documents make as many chunks at least, this model takes "
                f"{reading.max_sequences} in one request: send fewer documents.",
                param="documents",
                reason="too_many_chunks",
            )
        try:
            pairs = await self.loaded.encoder.encode(asked)
        except ValueError as error:
            if isinstance(error, RequestError):
                raise
            raise RequestError(f"query and documents: {error}", param="documents") from error
        if len(pairs) <= PAIRS_ON_THE_LOOP:
            read = reading.read(pairs, asked.max_chunks, asked.max_tokens)
        else:
            read = await asyncio.to_thread(reading.read, pairs, asked.max_chunks, asked.max_tokens)
        cc.outputs["PAIRS"].add(replace(read, turn=asked.turn))


def _limit(options: PairTokenizerOptions, folder: Path) -> int:
    limit = max_tokens(folder)
    if options.HasField("max_length"):
        if limit is not None and options.max_length > limit:
            raise ValueError(
                f"max_length is {options.max_length}; this model reads {limit} tokens at most"
            )
        return options.max_length
    if limit is None:
        raise ValueError("no file of the model says how many tokens it can read: set 'max_length'")
    return min(limit, MOST_TOKENS)


def _check(reading: Reading) -> None:
    least = len(reading.layout) + 2 * MIN_WINDOW
    if reading.limit < least:
        raise ValueError(
            f"max_length is {reading.limit}: {len(reading.layout)} tokens go around query and document, "
            f"so {least} is the least that is of use"
        )
    if reading.overlap > reading.limit // 4:
        raise ValueError(
            f"overlap is {reading.overlap}; expected at most {reading.limit // 4}, a quarter of what the model reads"
        )


def _prompt(options: PairTokenizerOptions, folder: Path) -> Prompt | None:
    known = known_prompt(folder)
    if options.HasField("prompt"):
        return Prompt(
            options.prompt_prefix, options.prompt, options.prompt_suffix, options.instruction
        )
    if known is None:
        for name in ("prompt_prefix", "prompt_suffix", "instruction"):
            if options.HasField(name):
                raise ValueError(f"{name} is set, but no prompt that it could be a part of")
        return None
    return Prompt(
        options.prompt_prefix if options.HasField("prompt_prefix") else known.prefix,
        known.body,
        options.prompt_suffix if options.HasField("prompt_suffix") else known.suffix,
        options.instruction if options.HasField("instruction") else known.instruction,
    )


def _layout(reference: ReferenceTokenizer, folder: Path) -> PairLayout:
    """The tokenizer's layout of pairs; without types where the model was trained without them."""
    layout = reference.pair_layout()
    inputs = read_json(folder / "tokenizer_config.json").get("model_input_names")
    if isinstance(inputs, list) and "token_type_ids" not in inputs:
        return layout.untyped()
    return layout
