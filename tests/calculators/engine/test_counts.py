"""What an engine counts, and what it tells whoever watches."""

from collections.abc import Callable

import numpy as np

from calcgraph.calculators.engine.counts import Counts
from calcgraph.calculators.engine.engine import Engine
from calcgraph.calculators.engine.measurements import measurements
from calcgraph.calculators.engine.queue import Job, Lane
from calcgraph.calculators.engine.schedule import Schedule
from calcgraph.calculators.engine.shapes import packed_table
from calcgraph.runtime.measurement import Distribution
from calcgraph.runtime.request_trace import Batch


def job(*lengths: int, lane: Lane = Lane.INTERACTIVE) -> Job:
    return Job([np.zeros(n, np.int64) for n in lengths], lane, "client")


def test_only_the_first_inference_of_a_request_ends_its_wait() -> None:
    counts, request = Counts(), job(5, 5)
    request.arrived = 10.0
    counts.waited(request, 10.5)
    counts.waited(request, 99.0)
    waits = counts.waits[Lane.INTERACTIVE]
    assert (sum(waits.counts), waits.sum) == (1, 0.5)


def test_fill_is_the_share_that_is_no_padding() -> None:
    counts = Counts()
    counts.launched(96, 128)
    assert (counts.dispatches, counts.slots) == (1, 128)
    assert (counts.batch_tokens.sum, counts.fill.sum) == (96, 0.75)


def test_a_lane_is_as_old_as_its_oldest_request() -> None:
    schedule = Schedule(packed_table(128, 1024, 128), budget=1024, bulk_budget=64)
    assert schedule.ages(5.0) == {Lane.INTERACTIVE: 0.0, Lane.BULK: 0.0}
    schedule.put(job(5, lane=Lane.BULK), 1.0)
    schedule.put(job(5, lane=Lane.BULK), 2.0)
    assert schedule.ages(5.0) == {Lane.INTERACTIVE: 0.0, Lane.BULK: 4.0}


def test_an_engine_tells_what_it_did(open_tiny: Callable[..., Engine]) -> None:
    engine = open_tiny("bert", pooling="MEAN")
    engine.submit([np.arange(1, 6), np.arange(1, 4)]).result(30)
    told = {each.name: each.value for each in measurements(engine) if not each.labels}
    for name in ("engine_inference_seconds", "engine_batch_tokens", "engine_batch_fill"):
        values = told[name]
        assert isinstance(values, Distribution)
        assert sum(values.counts) >= 1
        assert values.sum > 0
    assert told["engine_tokens"] == 8
    assert told["engine_requests_active"] == 0
    assert told["engine_requests"] >= 1


def test_a_request_that_is_traced_learns_its_inferences(open_tiny: Callable[..., Engine]) -> None:
    engine = open_tiny("bert", pooling="MEAN")
    batches: list[Batch] = []
    engine.submit([np.arange(1, 6), np.arange(1, 4)], batches=batches).result(30)
    assert sum(batch.tokens for batch in batches) == 8
    assert sum(batch.texts for batch in batches) == 2
    assert all(0 < batch.start <= batch.finish for batch in batches)
    assert all(batch.tokens <= batch.slots for batch in batches)
