"""The engine on the default model: the same vectors in any company, and nothing lost in a crowd."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calcgraph.calculators.engine import Engine, Lane, SequenceError

VOCAB = 30522
SECONDS = 600.0


@pytest.fixture(params=["f32", "default"])
def engine(request: pytest.FixtureRequest, minilm: Path) -> Iterator[Engine]:
    config = {"INFERENCE_PRECISION_HINT": "f32"} if request.param == "f32" else {}
    with Engine.open(
        minilm, pooling="MEAN", normalize=True, max_tokens=256, plugin_config=config
    ) as engine:
        yield engine


def real_lengths(count: int, seed: int) -> list[np.ndarray]:
    """Random ids, in lengths as texts have them: many short, few long."""
    random = np.random.default_rng(seed)
    lengths = np.clip(random.lognormal(2.8, 0.8, count), 3, 256).astype(int)
    return [random.integers(0, VOCAB, n) for n in lengths]


def assert_same(engine: Engine, vectors: np.ndarray, alone: np.ndarray) -> None:
    if engine.info.precision == "f32":
        np.testing.assert_allclose(vectors, alone, atol=1e-5)
    assert (np.sum(vectors * alone, axis=1) > 0.9999).all()


def assert_independent_of_company(engine: Engine, texts: int, mixes: int) -> None:
    pool = real_lengths(texts, seed=1)
    alone = np.concatenate([engine.submit([ids]).result(SECONDS) for ids in pool])
    random = np.random.default_rng(2)
    picks = [random.integers(0, texts, random.integers(1, 12)) for _ in range(mixes)]
    futures = [engine.submit([pool[i] for i in pick]) for pick in picks]
    for pick, future in zip(picks, futures, strict=True):
        assert_same(engine, future.result(SECONDS), alone[pick])


def test_a_vector_does_not_depend_on_its_company(engine: Engine) -> None:
    assert engine.info.path == "packed", engine.info.why
    assert_independent_of_company(engine, texts=60, mixes=12)


@pytest.mark.slow
def test_a_vector_does_not_depend_on_its_company_in_thousands_of_mixes(engine: Engine) -> None:
    assert_independent_of_company(engine, texts=500, mixes=5000)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_long_day_loses_nothing_crosses_nothing_and_takes_no_more_memory(minilm: Path) -> None:
    random = np.random.default_rng(3)
    pool = real_lengths(400, seed=4)
    memory: list[int] = []
    done = 0

    async def client(engine: Engine, alone: np.ndarray, turns: int) -> None:
        nonlocal done
        for _ in range(turns):
            pick = random.integers(0, len(pool), random.integers(1, 4))
            texts = [pool[i] for i in pick]
            if random.random() < 0.01:
                with pytest.raises(SequenceError):
                    engine.submit_async([*texts, np.array([VOCAB])])
            elif random.random() < 0.01:
                engine.submit_async(texts, lane=Lane.BULK).cancel()
            else:
                assert_same(engine, await engine.submit_async(texts), alone[pick])
            done += 1
            if done % 2_000 == 0:
                memory.append(resident_bytes())

    async def day(engine: Engine) -> None:
        alone = np.concatenate(await asyncio.gather(*(engine.submit_async([t]) for t in pool)))
        await asyncio.gather(*(client(engine, alone, 400) for _ in range(50)))

    with Engine.open(minilm, pooling="MEAN", normalize=True, max_tokens=256) as engine:
        engine.warm_up()
        asyncio.run(day(engine))
        assert engine.counts.failed_texts == 0
    assert done == 20_000
    assert memory[-1] < 1.05 * memory[1], [m >> 20 for m in memory]
