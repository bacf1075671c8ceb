"""From texts to token ids that the encoder can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcgraph.calculators.tokenization.batching import TokenizerQueue
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer
from calcgraph.calculators.values import TextInput, Tokens
from calcgraph.proto.calculators_pb2 import TokenizerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.plan import GraphPlan, NodePlan

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Loaded:
    tokenizer: ModelTokenizer
    queue: TokenizerQueue
    limit: int


class Tokenizer(Calculator):
    """Tokenizes texts with the model's own tokenizer; token ids pass as they are.

    What is longer than the limit is refused, or cut when `truncate` says so.
    """

    inputs = {"INPUT": TextInput}
    outputs = {"TOKENS": Tokens}
    options = TokenizerOptions
    light = True

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> _Loaded:
        assert isinstance(node.options, TokenizerOptions)
        folder = node.base_path / node.options.models_path
        tokenizer = ModelTokenizer.open(folder)
        return _Loaded(
            tokenizer, TokenizerQueue(tokenizer), _limit(node.options, max_tokens(folder))
        )

    @classmethod
    async def unload(cls, resource: _Loaded) -> None:
        await resource.queue.close()

    @classmethod
    def describe(
        cls, node: NodePlan, resource: _Loaded, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {"max_tokens": resource.limit}

    def open(self, cc: CalculatorContext) -> None:
        self.loaded: _Loaded = cc.resource
        self.truncate: bool = cc.options.truncate

    async def process(self, cc: CalculatorContext) -> None:
        value: TextInput = cc.inputs["INPUT"].value
        truncate = self.truncate if value.truncate is None else value.truncate
        if value.texts is not None:
            sequences = await self._encode(value.texts)
            tokenizer = self.loaded.tokenizer
        else:
            sequences = value.token_ids or []
            tokenizer = None
        cc.outputs["TOKENS"].add(Tokens(fit(sequences, self.loaded.limit, truncate, tokenizer)))

    async def _encode(self, texts: Sequence[str]) -> Sequence[Ids]:
        try:
            return await self.loaded.queue.encode(texts)
        except ValueError as error:
            raise RequestError(str(error), param="input") from error


def _limit(options: TokenizerOptions, model_limit: int | None) -> int:
    if not options.HasField("max_length"):
        if model_limit is None:
            raise ValueError(
                "no file of the model says how many tokens it can read: set 'max_length' in "
                "TokenizerOptions"
            )
        return model_limit
    if not 1 <= options.max_length <= (model_limit or options.max_length):
        raise ValueError(
            f"max_length must be between 1 and {model_limit}, what the model can read; "
            f"found {options.max_length}"
        )
    return options.max_length


def fit(
    sequences: Sequence[Ids], limit: int, truncate: bool, tokenizer: ModelTokenizer | None
) -> Sequence[Ids]:
    """Every sequence within `limit` tokens. Without `truncate` a longer one is a RequestError.

    `tokenizer` tells which special tokens a cut text keeps; None cuts plain ids at the end.
    """
    if all(len(ids) <= limit for ids in sequences):
        return sequences
    if not truncate:
        i, ids = next((i, ids) for i, ids in enumerate(sequences) if len(ids) > limit)
        where = f"input[{i}]" if len(sequences) > 1 else "the input"
        raise RequestError(
            f"This model's maximum context length is {limit} tokens, however {where} has {len(ids)} "
            "tokens. Shorten it, or set 'truncate: true' in the graph's TokenizerOptions.",
            param="input",
            reason="context_length_exceeded",
        )
    if tokenizer is None:
        return [ids[:limit] for ids in sequences]
    return [tokenizer.truncate(ids, limit) for ids in sequences]
