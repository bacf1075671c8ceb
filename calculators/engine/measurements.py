"""What can be watched of an engine."""

from collections.abc import Iterator
from functools import partial

from calcgraph.calculators.engine.engine import Engine
from calcgraph.calculators.engine.queue import Lane
from calcgraph.runtime.measurement import Measurement

_total = partial(Measurement, total=True)


def measurements(engine: Engine) -> Iterator[Measurement]:
    """The settings chosen, the totals since opening, and the queue now."""
    info, counts = engine.info, engine.counts
    yield Measurement(
        "engine_info",
        1,
        "How the model is run.",
        labels={"device": info.device, "precision": info.precision, "path": info.path},
    )
    yield Measurement("engine_threads", info.threads, "Threads of an inference.")
    yield Measurement("engine_streams", info.streams, "Inferences that run at a time.")
    yield Measurement("engine_requests", engine.parallel, "Inferences that can be under way.")
    yield Measurement("engine_requests_active", engine.running, "Inferences under way.")
    for lane, texts in counts.texts.items():
        labels = {"lane": lane.value}
        yield _total("engine_texts", texts, "Texts inferred.", labels=labels)
    for lane, texts in engine.waiting().items():
        labels = {"lane": lane.value}
        yield Measurement("engine_queue_texts", texts, "Texts that wait.", labels=labels)
    for lane in Lane:
        seconds = engine.admission.wait_s(lane)
        labels = {"lane": lane.value}
        yield Measurement("engine_queue_seconds", seconds, "Wait of a request now.", labels=labels)
    for lane, age in engine.ages().items():
        labels = {"lane": lane.value}
        yield Measurement(
            "engine_queue_age_seconds", age, "How long the oldest one waits.", labels=labels
        )
    for lane, wait in counts.waits.items():
        labels = {"lane": lane.value}
        yield Measurement(
            "engine_wait_seconds",
            wait,
            "From a request's arrival to its first inference.",
            labels=labels,
        )
    yield _total("engine_tokens", counts.tokens, "Tokens of texts inferred.")
    yield _total("engine_slots", counts.slots, "Tokens inferred, padding included.")
    yield Measurement("engine_batch_tokens", counts.batch_tokens, "Tokens of an inference's texts.")
    yield Measurement("engine_batch_fill", counts.fill, "Share of an inference that is no padding.")
    yield Measurement("engine_inference_seconds", counts.inference, "Time that inferences took.")
    yield _total("engine_failed_texts", counts.failed_texts, "Texts that got an error.")
    yield _total("engine_rebuilds", counts.rebuilds, "Times the model was compiled anew.")
