"""From token ids to vectors: one compiled model, one queue of texts, rows packed to the brim."""

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
