"""Many requests at once: each gets its own answer, whatever becomes of its neighbours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import numpy as np
import pytest

BF16 = "sentence-transformers/all-MiniLM-L6-v2"
F32 = "e2e/minilm-f32"

TEXTS = [
    f"{'Request' if i % 3 else 'A much longer request, with quite a few more words,'} "
    f"number {i} {'about packing ' * (i % 11)}"
    for i in range(190)
]


def bad(model: str) -> list[tuple[Any, int, str | None]]:
    """Body, status, and error.param."""
    good = {"model": model, "input": "x"}
    return [
        (b"{", 400, None),
        (b"\xff", 400, None),
        ([], 400, None),
        ({"input": "x"}, 400, "model"),
        ({"model": "gone", "input": "x"}, 404, "model"),
        ({"model": model}, 400, "input"),
        (good | {"input": [["a"]]}, 400, "input"),
        (good | {"input": [[30522]]}, 400, "input"),
        (good | {"input": "word " * 1000}, 400, "input"),
        (good | {"dimensions": 385}, 400, "dimensions"),
    ]


async def ask(session: aiohttp.ClientSession, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with session.post("/v3/embeddings", data=data) as response:
        return response.status, await response.json()


async def ask_all(address: str, bodies: Sequence[Any]) -> list[tuple[int, Any]]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://{address}", connector=connector) as session:
        return await asyncio.gather(*(ask(session, body) for body in bodies))


@pytest.mark.parametrize(("model", "tolerance"), [(F32, 1e-5), (BF16, None)])
def test_of_200_requests_190_get_their_own_vectors_and_10_their_own_errors(
    server: Any, model: str, tolerance: float | None
) -> None:
    alone = np.concatenate([server.embed(model, text) for text in TEXTS])
    bodies: list[Any] = [{"model": model, "input": text} for text in TEXTS]
    mistakes = bad(model)
    for i, (body, _, _) in enumerate(mistakes):
        bodies.insert(20 * i + 7, body)

    answers = asyncio.run(ask_all(server.rest, bodies))

    for i, (body, status, param) in reversed(list(enumerate(mistakes))):
        found, answer = answers.pop(20 * i + 7)
        assert found == status, body
        assert answer["error"]["param"] == param
    assert {status for status, _ in answers} == {200}
    together = np.array([answer["data"][0]["embedding"] for _, answer in answers])
    if tolerance is not None:
        np.testing.assert_allclose(together, alone, rtol=0, atol=tolerance)
    assert np.sum(together * alone, axis=1).min() >= 0.9995
    assert len({tuple(vector) for vector in together.round(3)}) == len(TEXTS)


def test_clients_that_leave_take_nobody_along(server: Any) -> None:
    alone = np.concatenate([server.embed(F32, text) for text in TEXTS[:40]])

    async def half_leave() -> list[tuple[int, Any]]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(f"http://{server.rest}", connector=connector) as session:
            stay, leave = [], []
            for text in TEXTS[:40]:
                body = {"model": F32, "input": text}
                stay.append(asyncio.ensure_future(ask(session, body)))
                leave.append(asyncio.ensure_future(ask(session, body | {"input": [text] * 8})))
            await stay[0]
            for task in leave:
                task.cancel()
            await asyncio.gather(*leave, return_exceptions=True)
            return await asyncio.gather(*stay)

    answers = asyncio.run(half_leave())
    assert {status for status, _ in answers} == {200}
    together = [answer["data"][0]["embedding"] for _, answer in answers]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
