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
    for lane, texts in counts.texts.items():
        labels = {"lane": lane.value}
        yield _total("engine_texts", texts, "Texts inferred.", labels=labels)
    for lane, texts in engine.waiting().items():
        labels = {"lane": lane.value}
        yield Measurement("engine_queue_texts", texts, "Texts that wait.", labels=labels)
    for lane in Lane:
        wait = engine.admission.wait_s(lane)
        labels = {"lane": lane.value}
        yield Measurement("engine_queue_seconds", wait, "Wait of a request now.", labels=labels)
    yield _total("engine_tokens", counts.tokens, "Tokens of texts inferred.")
    yield _total("engine_slots", counts.slots, "Tokens inferred, padding included.")
    yield _total("engine_batches", counts.dispatches, "Inferences started.")
    yield _total("engine_inference_seconds", counts.seconds, "Time that inferences took.")
    yield _total("engine_failed_texts", counts.failed_texts, "Texts that got an error.")
    yield _total("engine_rebuilds", counts.rebuilds, "Times the model was compiled anew.")
