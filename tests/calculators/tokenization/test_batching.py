import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from calcgraph.calculators.tokenization.batching import INLINE_WEIGHT, TokenizerQueue
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.routing import weight
from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer

FEW = ["plain words " * 10] * 10
MANY = [f"question {i} of a very large request, put in one go" for i in range(5_000)]


@pytest.fixture(scope="module")
def tokenizer(minilm: Path) -> ModelTokenizer:
    return ModelTokenizer.open(minilm)


def run(tokenizer: ModelTokenizer, scenario: Callable[[TokenizerQueue], Awaitable[None]]) -> None:
    async def main() -> None:
        async with TokenizerQueue(tokenizer) as queue:
            async with asyncio.timeout(60):
                await scenario(queue)

    asyncio.run(main())


def same(left: list[Ids], right: list[Ids]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_concurrent_callers_get_their_own_ids(
    tokenizer: ModelTokenizer, random_texts: list[str]
) -> None:
    requests = [random_texts[i : i + 1 + i % 70] for i in range(0, 4_000, 40)]

    async def scenario(queue: TokenizerQueue) -> None:
        answers = await asyncio.gather(*map(queue.encode, requests))
        for request, answer in zip(requests, answers, strict=True):
            assert same(answer, tokenizer.encode(request))

    run(tokenizer, scenario)


def test_a_few_short_texts_need_no_waiting_and_many_do(tokenizer: ModelTokenizer) -> None:
    async def scenario(queue: TokenizerQueue) -> None:
        now = queue.encode_now(["a few", "short texts"])
        assert now is not None
        assert same(now, tokenizer.encode(["a few", "short texts"]))
        assert queue.encode_now(MANY) is None
        await queue.close()
        with pytest.raises(RuntimeError, match="closed"):
            queue.encode_now(["a"])

    run(tokenizer, scenario)


def test_no_texts_and_one_short_text_are_answered_on_the_spot(tokenizer: ModelTokenizer) -> None:
    async def scenario(queue: TokenizerQueue) -> None:
        busy = asyncio.create_task(queue.encode(MANY))
        await asyncio.sleep(0)
        for texts in ([], ["hello"]):
            with pytest.raises(StopIteration) as answer:
                queue.encode(texts).send(None)  # a coroutine that never waits ends at once
            assert same(answer.value.value, tokenizer.encode(texts))
        assert not busy.done()
        await busy

    run(tokenizer, scenario)


def test_a_few_texts_do_not_stand_behind_many(tokenizer: ModelTokenizer) -> None:
    assert weight(FEW) > INLINE_WEIGHT

    async def scenario(queue: TokenizerQueue) -> None:
        many = asyncio.create_task(queue.encode(MANY))
        await asyncio.sleep(0)
        assert same(await queue.encode(FEW), tokenizer.encode(FEW))
        assert not many.done()
        assert same(await many, tokenizer.encode(MANY))

    run(tokenizer, scenario)


def test_empty_texts_have_a_weight_too(tokenizer: ModelTokenizer) -> None:
    async def scenario(queue: TokenizerQueue) -> None:
        empty = asyncio.create_task(queue.encode([""] * 20_000))
        await asyncio.sleep(0)
        assert not empty.done()
        await queue.encode(FEW)
        assert not empty.done()
        assert {ids.tobytes() for ids in await empty} == {tokenizer.encode([""])[0].tobytes()}

    run(tokenizer, scenario)


def test_the_loop_goes_on_while_texts_are_tokenized(tokenizer: ModelTokenizer) -> None:
    async def scenario(queue: TokenizerQueue) -> None:
        task = asyncio.create_task(queue.encode(["e\u0301 " * 200_000]))
        turns, start = 0, time.monotonic()
        while not task.done():
            assert time.monotonic() - start < 60
            await asyncio.sleep(0)
            turns += 1
        assert turns > 10

    run(tokenizer, scenario)


def test_a_cancelled_caller_takes_nobody_along(tokenizer: ModelTokenizer) -> None:
    async def scenario(queue: TokenizerQueue) -> None:
        running = asyncio.create_task(queue.encode(MANY))
        tasks = [asyncio.create_task(queue.encode(FEW)) for _ in range(20)]
        await asyncio.sleep(0)
        running.cancel()  # part of it is being tokenized, the rest is waiting
        for task in tasks[::2]:
            task.cancel()
        ended = await asyncio.gather(running, *tasks, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended[1::2])
        assert all(same(end, tokenizer.encode(FEW)) for end in ended[2::2])
        assert same(await queue.encode(FEW), tokenizer.encode(FEW))

    run(tokenizer, scenario)


def test_a_bad_text_fails_its_own_caller_only(tokenizer: ModelTokenizer) -> None:
    bad = [*MANY[:2_000], "lone \ud800", *FEW]

    async def scenario(queue: TokenizerQueue) -> None:
        requests = [FEW, bad, MANY, FEW]
        ended = await asyncio.gather(*map(queue.encode, requests), return_exceptions=True)
        assert isinstance(ended[1], ValueError)
        assert "text 2000 is not valid Unicode: lone surrogate U+D800" in str(ended[1])
        for i in (0, 2, 3):
            assert same(ended[i], tokenizer.encode(requests[i]))

    run(tokenizer, scenario)


def test_closing_answers_who_is_waiting_and_takes_nobody_else(tokenizer: ModelTokenizer) -> None:
    async def main() -> None:
        queue = TokenizerQueue(tokenizer)
        waiting = asyncio.create_task(queue.encode(MANY))
        await asyncio.sleep(0)
        await queue.close()
        assert same(await waiting, tokenizer.encode(MANY))
        with pytest.raises(RuntimeError, match="the tokenizer is closed"):
            await queue.encode(FEW)

    asyncio.run(main())
