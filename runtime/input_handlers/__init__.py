"""Which packets a node gets together, and when: one policy a file (mediapipe/framework/stream_handler)."""

from collections.abc import Mapping
from typing import Final

from calcgraph.runtime.input_handlers.barrier import BarrierInputStreamHandler
from calcgraph.runtime.input_handlers.base import InputStreamHandler
from calcgraph.runtime.input_handlers.default import DefaultInputStreamHandler
from calcgraph.runtime.input_handlers.early_close import EarlyCloseInputStreamHandler
from calcgraph.runtime.input_handlers.fixed_size import FixedSizeInputStreamHandler
from calcgraph.runtime.input_handlers.immediate import ImmediateInputStreamHandler
from calcgraph.runtime.input_handlers.mux import MuxInputStreamHandler
from calcgraph.runtime.input_handlers.sync_set import SyncSetInputStreamHandler
from calcgraph.runtime.input_handlers.timestamp_align import TimestampAlignInputStreamHandler

INPUT_HANDLERS: Final[Mapping[str, type[InputStreamHandler]]] = {
    handler.__name__: handler
    for handler in (
        BarrierInputStreamHandler,
        DefaultInputStreamHandler,
        EarlyCloseInputStreamHandler,
        FixedSizeInputStreamHandler,
        ImmediateInputStreamHandler,
        MuxInputStreamHandler,
        SyncSetInputStreamHandler,
        TimestampAlignInputStreamHandler,
    )
}
"""By the name a graph gives."""

__all__ = ["INPUT_HANDLERS", "InputStreamHandler"]
