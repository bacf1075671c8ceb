"""Concurrent callers on one event loop have their texts tokenized together, off the loop.

A few short texts are tokenized on the spot. Else there is no waiting for a batch to fill: while
one is tokenized the next collects. Every caller in the queue gets a share of each batch, so that
a few texts never stand behind many.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.routing import weight
from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer, check_texts
from calcgraph.runtime.measurement import Distribution, Measurement

# What takes about the time of handing it to a thread and back; done at once, even while the
# thread is busy, it takes 20 us where it would have waited 2.5 ms for its turn.
INLINE_WEIGHT = 1_000
# About 220 questions to a bank: 1.2 ms by way of OpenVINO, 3 ms by way of HF.
BATCH_WEIGHT = 1 << 14


@dataclass(eq=False)
class _Request:
    texts: Sequence[str]
    answer: asyncio.Future[list[Ids]]
    taken: int = 0
    encoded: list[Ids] = field(default_factory=list)

    def take(self, share: int) -> Sequence[str]:
        """The next texts, at least one, until they have that weight."""
        start = self.taken
        while self.taken < len(self.texts) and share > 0:
            share -= weight([self.texts[self.taken]])
            self.taken += 1
        return self.texts[start : self.taken]

    def add(self, result: list[Ids] | Exception) -> None:
        if self.answer.done():  # the caller has left, or an earlier part has failed
            return
        if isinstance(result, Exception):
            self.answer.set_exception(result)
            return
        self.encoded += result
        if len(self.encoded) == len(self.texts):
            self.answer.set_result(self.encoded)


_Part = tuple[_Request, Sequence[str]]


class TokenizerQueue:
    """Belongs to one event loop. A cancelled or failing caller is alone in that."""

    def __init__(self, tokenizer: ModelTokenizer) -> None:
        self._tokenizer = tokenizer
        self._waiting: deque[_Request] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tokenizer")
        self._run: asyncio.Task[None] | None = None
        self._closed = False
        self.seconds = Distribution()
        """What each call of the tokenizer took, for however many texts."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def encode_now(self, texts: Sequence[str]) -> list[Ids] | None:
        """A few short texts on the spot; None for more, which are worth `encode`."""
        if self._closed:
            raise RuntimeError("the tokenizer is closed")
        if weight(texts) >= INLINE_WEIGHT:
            return None
        start = time.perf_counter()
        encoded = self._tokenizer.encode(texts)
        self.seconds.add(time.perf_counter() - start)
        return encoded

    async def encode(self, texts: Sequence[str]) -> list[Ids]:
        """As ModelTokenizer.encode. The texts must not change until the answer is there."""
        if (encoded := self.encode_now(texts)) is not None:
            return encoded
        request = _Request(texts, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._run is None:
            self._run = asyncio.create_task(self._work_off())
        return await request.answer

    async def close(self) -> None:
        """Answer whoever is waiting, and take nobody else."""
        self._closed = True
        if self._run is not None:
            await self._run
        self._thread.shutdown()

    async def _work_off(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next_batch():
                start = time.perf_counter()
                results = await loop.run_in_executor(self._thread, self._encode_batch, batch)
                self.seconds.add(time.perf_counter() - start)
                for (request, _), result in zip(batch, results, strict=True):
                    request.add(result)
        finally:
            self._run = None

    def _next_batch(self) -> list[_Part]:
        """A share for each caller in turn. Who wants more goes to the end of the queue."""
        batch, unfinished, room = [], [], BATCH_WEIGHT
        share = max(1, room // max(1, len(self._waiting)))
        while self._waiting and room > 0:
            request = self._waiting.popleft()
            if request.answer.done():
                continue
            texts = request.take(share)
            room -= weight(texts)
            batch.append((request, texts))
            if request.taken < len(request.texts):
                unfinished.append(request)
        self._waiting.extend(unfinished)
        return batch

    def _encode_batch(self, batch: list[_Part]) -> list[list[Ids] | Exception]:
        try:
            encoded = iter(self._tokenizer.encode([text for _, part in batch for text in part]))
        except Exception:
            return [self._encode_alone(*part) for part in batch]
        return [[next(encoded) for _ in part] for _, part in batch]

    def _encode_alone(self, request: _Request, part: Sequence[str]) -> list[Ids] | Exception:
        try:
            check_texts(request.texts)  # its index is one of the request, not of the part
            return self._tokenizer.encode(part)
        except Exception as error:
            return error


def tokenization(queue: TokenizerQueue) -> Measurement:
    """What can be watched of a queue."""
    return Measurement(
        "tokenization_seconds", queue.seconds, "Time that calls of the tokenizer took."
    )
