"""From token ids to vectors: one compiled model, one queue of texts, rows packed to the brim.

    with Engine.open(folder, pooling="MEAN", normalize=True, max_tokens=256) as engine:
        vectors = engine.submit([[101, 7592, 102]]).result()      # from a thread
        vectors = await engine.submit_async([[101, 7592, 102]])   # from a coroutine

A text's way: checked and queued by engine, ordered by queue, put into rows by pack, laid out and
inferred by compiled (a model that surgery taught to keep texts of one row apart, and verify tried),
driven by worker, handed back by settle.
"""

from calcgraph.calculators.engine.compiled import Pooling
from calcgraph.calculators.engine.engine import Engine, EngineInfo
from calcgraph.calculators.engine.errors import (
    BadTokenId,
    DeviceUnknown,
    EmptySequence,
    EngineClosed,
    EngineError,
    InferenceFailed,
    ModelUnreadable,
    ModelUnsuitable,
    NotFinite,
    NotTokenIds,
    PropertyUnknown,
    PropertyValueWrong,
    SequenceError,
    TooLong,
)
from calcgraph.calculators.engine.queue import Lane

__all__ = [
    "BadTokenId",
    "DeviceUnknown",
    "EmptySequence",
    "Engine",
    "EngineClosed",
    "EngineError",
    "EngineInfo",
    "InferenceFailed",
    "Lane",
    "ModelUnreadable",
    "ModelUnsuitable",
    "NotFinite",
    "NotTokenIds",
    "Pooling",
    "PropertyUnknown",
    "PropertyValueWrong",
    "SequenceError",
    "TooLong",
]
