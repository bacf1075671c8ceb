"""From texts to token ids that the encoder can read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calcgraph.calculators.canary import read_canary
from calcgraph.calculators.lengths import LengthRule, Overflow
from calcgraph.calculators.tokenization.batching import TokenizerQueue, tokenization
from calcgraph.calculators.tokenization.foreign import ForeignVocabulary
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.calculators.tokenization.tokenizer import (
    COMPILED_FILE,
    REFERENCE_FILE,
    ModelTokenizer,
)
from calcgraph.calculators.values import Detokenization, TextInput, Tokenization, Tokens
from calcgraph.proto.calculators_pb2 import TokenizerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.fingerprint import FINGERPRINT, digest_of
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.plan import GraphPlan, NodePlan

log = logging.getLogger(__name__)

_INLINE_TOKENS = 1_000
"""What is decoded on the spot, in about 0.2 ms."""
_SEND_TEXT = "Send text; with langchain-openai set check_embedding_ctx_length=False"


@dataclass(slots=True)
class _Loaded:
    model: str
    tokenizer: ModelTokenizer
    queue: TokenizerQueue
    rule: LengthRule
    token_input: str
    foreign: ForeignVocabulary | None
    digest: str
    truncated: int = 0
    chunked: int = 0
    """Inputs that were too long and were cut, or read in windows, since the model was loaded."""
    warned: bool = False
    """The log has told that a client of OpenAI's sends token ids."""


class Tokenizer(Calculator):
    """Tokenizes texts with the model's own tokenizer; token ids pass as they are.

    What is longer than the limit is refused, cut or split, as the graph or the request says.
    """

    inputs = {"INPUT": TextInput}
    outputs = {"TOKENS": Tokens}
    options = TokenizerOptions
    light = True
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        overflow(contract.options)

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> _Loaded:
        options = node.options
        assert isinstance(options, TokenizerOptions)
        folder = node.base_path / options.models_path
        tokenizer = ModelTokenizer.open(folder)
        rule = LengthRule(
            overflow(options),
            _limit(options, max_tokens(folder)),
            tokenizer.special_tokens,
            options.overlap if options.HasField("overlap") else None,
        )
        rule.check()
        if canary := read_canary(folder):
            canary.check_tokens(tokenizer.encode(canary.texts))
        wanted = options.token_input
        foreign = None if wanted in ("model", "reject") else ForeignVocabulary.open(wanted)
        queue = TokenizerQueue(tokenizer)
        return _Loaded(folder.name, tokenizer, queue, rule, wanted, foreign, _digest(folder))

    @classmethod
    async def unload(cls, resource: _Loaded) -> None:
        await resource.queue.close()

    @classmethod
    def measurements(cls, resource: _Loaded) -> Iterable[Measurement]:
        for name, count, done in (
            ("truncated_inputs", resource.truncated, "cut"),
            ("chunked_inputs", resource.chunked, "read in windows"),
        ):
            yield Measurement(
                name, count, f"Inputs that were too long and were {done}.", total=True
            )
        yield tokenization(resource.queue)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: _Loaded, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {
            "max_tokens": resource.rule.limit,
            "overflow": resource.rule.overflow.value,
            "token_input": resource.token_input,
            # What was cut is told with each answer, so that lengths have no part in it.
            FINGERPRINT: {"tokenizer": resource.digest},
        }

    def open(self, cc: CalculatorContext) -> None:
        self.loaded: _Loaded = cc.resource

    def process(self, cc: CalculatorContext) -> Awaitable[None] | None:
        value: TextInput = cc.inputs["INPUT"].value
        if value.prompt is not None and value.prompt.must_be_heard:
            raise _no_prompts()
        if isinstance(value.only, Detokenization):
            return self._decode(cc, value.token_ids or ())
        texts = value.texts
        if texts is None:
            sequences = value.token_ids or ()
            if self.loaded.token_input == "model":
                self._warn_once(value.sender)
                self._emit(cc, value, sequences)
                return None
            texts = self._foreign_texts(sequences)
        try:
            encoded = self.loaded.queue.encode_now(texts)
        except ValueError as error:
            raise RequestError(str(error), param="input") from error
        if encoded is None:
            return self._encode(cc, value, texts)
        self._emit(cc, value, encoded)
        return None

    async def _encode(self, cc: CalculatorContext, value: TextInput, texts: Sequence[str]) -> None:
        try:
            encoded = await self.loaded.queue.encode(texts)
        except ValueError as error:
            raise RequestError(str(error), param="input") from error
        self._emit(cc, value, encoded)

    def _emit(self, cc: CalculatorContext, value: TextInput, sequences: Sequence[Ids]) -> None:
        if isinstance(value.only, Tokenization):
            tokens = self._as_wanted(value.only, sequences)
        else:
            rule = self.loaded.rule
            if value.length is not None:
                rule = rule.wished(value.length)
            fitting, too_long = rule.fit(sequences)
            tokens = Tokens(fitting, too_long, turn=value.turn)
            for each in too_long:
                if each.was_cut:
                    self.loaded.truncated += 1
                else:
                    self.loaded.chunked += 1
        cc.outputs["TOKENS"].add(tokens)

    def _as_wanted(self, wanted: Tokenization, sequences: Sequence[Ids]) -> Tokens:
        """The ids as `tokenize` was asked for them."""
        tokenizer, most = self.loaded.tokenizer, wanted.max_length
        if not wanted.add_special_tokens:
            sequences = [tokenizer.special_tokens.strip(ids) for ids in sequences]
        if most is not None:
            if wanted.add_special_tokens and most >= len(tokenizer.special_tokens):
                sequences = [tokenizer.truncate(ids, most) for ids in sequences]
            else:
                sequences = [ids[:most] for ids in sequences]
        if wanted.pad:
            length = self.loaded.rule.limit if most is None else most
            try:
                sequences = [tokenizer.pad(ids, length, wanted.padding_side) for ids in sequences]
            except ValueError as error:
                raise RequestError(str(error), param="pad_to_max_length") from error
        return Tokens(sequences, only=True)

    def _decode(self, cc: CalculatorContext, sequences: Sequence[Ids]) -> Awaitable[None] | None:
        self._check_vocabulary(sequences)
        if sum(map(len, sequences)) <= _INLINE_TOKENS:
            cc.outputs["TOKENS"].add(Tokens(sequences, texts=self._texts_of(sequences), only=True))
            return None
        return self._decode_on_thread(cc, sequences)

    async def _decode_on_thread(self, cc: CalculatorContext, sequences: Sequence[Ids]) -> None:
        texts = await asyncio.to_thread(self._texts_of, sequences)
        cc.outputs["TOKENS"].add(Tokens(sequences, texts=texts, only=True))

    def _texts_of(self, sequences: Sequence[Ids]) -> list[str]:
        try:
            return [self.loaded.tokenizer.decode(ids.tolist()) for ids in sequences]
        except ValueError as error:
            raise RequestError(str(error), param="tokens") from error

    def _check_vocabulary(self, sequences: Sequence[Ids]) -> None:
        # Decoders skip what they do not know, and the text would lack it silently.
        size = self.loaded.tokenizer.vocab_size
        for ids in sequences:
            outside = ids[ids < 0 if size is None else (ids < 0) | (ids >= size)]
            if outside.size:
                raise RequestError(
                    f"token id {outside[0]} is outside this model's vocabulary ({size})",
                    param="tokens",
                )

    def _foreign_texts(self, sequences: Sequence[Ids]) -> list[str]:
        foreign = self.loaded.foreign
        if foreign is None:
            raise RequestError(f"This model takes no token ids. {_SEND_TEXT}.", param="input")
        try:
            return foreign.texts(sequences)
        except ValueError as error:
            raise RequestError(f"{error}. {_SEND_TEXT}.", param="input") from error

    def _warn_once(self, sender: str) -> None:
        if self.loaded.warned or not sender.startswith("OpenAI/"):
            return
        self.loaded.warned = True
        log.warning(
            "%s: a client of OpenAI's (%s) sends token ids, which are read as this model's own. If it is "
            "langchain-openai they are tiktoken's, and the vectors are wrong: set "
            'check_embedding_ctx_length=False there, or token_input: "cl100k_base" in TokenizerOptions here',
            self.loaded.model,
            sender[:80],
        )


def overflow(options: TokenizerOptions) -> Overflow:
    """What the graph does with a text that is too long. Raises ValueError when it says two things."""
    if not options.HasField("overflow"):
        return Overflow.TRUNCATE if options.truncate else Overflow.ERROR
    if options.truncate:
        raise ValueError("set 'overflow' or 'truncate', not both")
    return Overflow[TokenizerOptions.Overflow.Name(options.overflow)]


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


def _digest(folder: Path) -> str:
    reference = folder / REFERENCE_FILE
    return digest_of(reference if reference.is_file() else folder / COMPILED_FILE)


def _no_prompts() -> RequestError:
    return RequestError(
        "This model's graph has no PromptTemplate node, so that 'prompt_name' and 'instruction' mean nothing here.",
        param="prompt_name",
    )
