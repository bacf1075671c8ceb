"""A stream of requests on a graph that it owns."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.payload import InferRequest, Tensor
from calcgraph.runtime.terms import Overloaded, Terms

produced = count()


@trial("Ticks")
class Ticks(Calculator):
    """An endless source."""

    outputs = {"": np.ndarray}

    def process(self, cc):
        tick = next(produced)
        cc.outputs[0].add(np.array([tick]), tick)


@trial("Doubles")
class Doubles(AnyToAny):
    def process(self, cc):
        cc.outputs[0].add(cc.inputs[0].value * 2)


@trial("Echoes")
class Echoes(AnyToAny):
    """Answers twenty thousand times, at the times that follow."""

    timestamp_offset = None

    def process(self, cc):
        time = int(cc.timestamp)
        for i in range(20_000):
            cc.outputs[0].add(np.zeros(1), time + i)


def one(kind):
    return (
        'input_stream: "in" output_stream: "out"\n'
        f'node {{ calculator: "trial.{kind}" input_stream: "in" output_stream: "out" }}'
    )


def request(value, **parameters):
    return InferRequest(
        "m", [Tensor("in", "FP32", np.array([value], np.float32))], parameters=parameters
    )


@pytest.fixture
def run(tmp_path):
    """Open a graph and a stream on it, and hand the session to a coroutine function."""

    def with_session(graph, work):
        (tmp_path / "graph.pbtxt").write_text(graph)

        async def main():
            executor = await GraphExecutor.open("m", tmp_path / "graph.pbtxt")
            session = executor.open_stream({})
            try:
                return await work(session)
            finally:
                session.cancel()
                await executor.close()

        return asyncio.run(main())

    return with_session


async def values(session):
    async with aclosing(session.answers()) as answers:
        return [float(answer.response.outputs[0].data[0]) async for answer in answers]


def test_requests_are_answered_until_the_stream_ends(run):
    """KServe S10."""

    async def work(session):
        for value in range(3):
            await session.add(request(value))
        session.end()
        return await values(session)

    assert run(one("Doubles"), work) == [0, 2, 4]


def test_requests_wait_while_answers_are_not_taken(run):
    """KServe X4."""

    async def work(session):
        async def feed():
            for value in range(1000):
                await session.add(request(value))
            session.end()

        feeder = asyncio.create_task(feed())
        await session._graph.until(lambda: session._waiting >= 64)
        for _ in range(100):  # turns in which the feeder could go on
            await asyncio.sleep(0)
        held_back = not feeder.done() and session._waiting <= 65
        answers = await values(session)
        await feeder
        return held_back, answers

    held_back, answers = run(one("Doubles"), work)
    assert held_back
    assert answers == [2.0 * value for value in range(1000)]


def test_sources_are_held_back_while_answers_are_not_taken_and_end_with_the_stream(run):
    """KServe S10, X4."""
    graph = """
    input_stream: "in" output_stream: "out" output_stream: "ticks"
    node { calculator: "trial.Doubles" input_stream: "in" output_stream: "out" }
    node { calculator: "trial.Ticks" output_stream: "ticks" }
    """

    async def work(session):
        async with aclosing(session.answers()) as answers:
            seen = [float((await anext(answers)).response.outputs[0].data[0]) for _ in range(500)]
            session.end()
            async for answer in answers:
                seen.append(float(answer.response.outputs[0].data[0]))
        return seen

    seen = run(graph, work)
    assert len(seen) >= 500
    assert seen == sorted(seen)
    assert next(produced) < len(seen) + 500


def test_a_graph_that_cannot_be_held_back_is_ended(run):
    """KServe X4."""

    async def work(session):
        await session.add(request(1))
        return await values(session)

    with pytest.raises(RequestError, match="wait to be read; the client is too slow") as failed:
        run(one("Echoes"), work)
    assert failed.value.code == Code.RESOURCE_EXHAUSTED


def test_after_a_failure_requests_are_taken_and_the_failure_is_told_at_the_end(run):
    """KServe S7."""

    async def work(session):
        await session.add(request(1, OVMS_MP_TIMESTAMP=5))
        await session.add(request(1, OVMS_MP_TIMESTAMP=4))
        await session.add(request(1))
        session.end()
        return await values(session)

    with pytest.raises(RequestError, match="must increase: 4 came after 5"):
        run(one("Doubles"), work)


@trial("Full")
class Full(AnyToAny):
    """Has too much to do for those who cannot wait."""

    @classmethod
    def admit(cls, resource, terms):
        if terms.wait_s < 1:
            raise Overloaded(2.0)

    def process(self, cc):
        cc.outputs[0].add(cc.inputs[0].value)


def test_a_request_that_is_not_admitted_is_refused_and_the_stream_goes_on(run):
    async def work(session):
        await session.add(replace(request(1), terms=Terms(wait_s=5)))
        with pytest.raises(Overloaded):
            await session.add(replace(request(2), terms=Terms(wait_s=0.5)))
        await session.add(request(3))
        session.end()
        return await values(session)

    assert run(one("Full"), work) == [1, 3]
