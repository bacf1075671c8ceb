"""One model, shared by all who need its vectors: check, queue, infer in packed rows, hand back."""

import asyncio
import logging
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import Future
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import openvino as ov

from calcgraph.calculators.engine.admission import Admission
from calcgraph.calculators.engine.box import cpu_budget
from calcgraph.calculators.engine.compiled import Encoding, Head, Pooling, Program
from calcgraph.calculators.engine.core import new_core
from calcgraph.calculators.engine.counts import Counts
from calcgraph.calculators.engine.device import (
    PluginConfig,
    check_config,
    complete_config,
    devices_of,
    property_of,
    streams_of,
)
from calcgraph.calculators.engine.errors import (
    BadTokenId,
    EmptySequence,
    ModelUnsuitable,
    NotTokenIds,
    TooLong,
)
from calcgraph.calculators.engine.model import Encoder, last_line, read_encoder
from calcgraph.calculators.engine.programs import Programs, affordable
from calcgraph.calculators.engine.queue import Job, Lane
from calcgraph.calculators.engine.settle import Waiter
from calcgraph.calculators.engine.shapes import Shape, ShapeTable, bucket_table, packed_table
from calcgraph.calculators.engine.surgery import NotPackable, Positions, packed_model, positions
from calcgraph.calculators.engine.verify import Differs, plain_model, verify
from calcgraph.calculators.engine.worker import Worker
from calcgraph.runtime.request_trace import Batch
from calcgraph.runtime.terms import ANY_TERMS, Terms

log = logging.getLogger("calcgraph.engine")

BUDGET = 1024
"""Tokens of a batch that has the processor to itself. More do not make it faster."""
BUDGET_A_THREAD = 256
"""The same for a batch on one thread, beside others."""
BULK_BUDGET = 64
"""Tokens of a batch of bulk texts while interactive ones come by."""
ROW = 128
"""Tokens of a packed row of short texts."""
DEFAULT_MAX_TOKENS = 512
CLOSE_TIMEOUT_S = 30.0

TokenIds = Sequence[int] | np.ndarray
Result = np.ndarray | list[np.ndarray]


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is known of an engine once it is open, for logs, metrics and metadata."""

    dimensions: int
    vocab_size: int | None
    max_tokens: int
    device: str
    precision: str
    threads: int
    streams: int
    path: str
    """packed or bucketed"""
    why: str
    inputs: tuple[str, ...]
    pooling: Pooling | None
    normalize: bool
    shapes: tuple[Shape, ...]
    weight_bytes: int
    """Of the weights as they are stored; every program of a shape may pack them once more."""


class Engine:
    """Thread-safe. Use as a context manager, or close it."""

    def __init__(self, info: EngineInfo, worker: Worker) -> None:
        self._worker = worker
        self.info = info

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        pooling: Pooling | str | None,
        normalize: bool = False,
        max_tokens: int | None = None,
        device: str = "CPU",
        plugin_config: PluginConfig | None = None,
    ) -> Self:
        """Read, check and compile `folder`/openvino_model.xml.

        `pooling` None gives every token's vector. `max_tokens` is the longest text taken, at most
        what the model's table of positions holds, which is the default (512 without a table).
        Raises a SetupError: ModelUnreadable, ModelUnsuitable, DeviceUnknown, PropertyUnknown,
        PropertyValueWrong.
        """
        head = Head(Pooling(pooling) if pooling is not None else None, normalize)
        config = plugin_config or {}
        core = new_core()
        devices = devices_of(core, device)
        check_config(device, devices, config)
        encoder = read_encoder(core, Path(folder))
        places = positions(core, encoder)
        limit = _max_tokens(encoder, places, max_tokens)
        model, why = _packed_or_plain(core, encoder, places or Positions())
        packed = model is not None
        streams = affordable(streams_of(devices, config), encoder.weight_bytes)
        budget = BUDGET if streams == 1 else BUDGET_A_THREAD
        table = packed_table(limit, budget, ROW) if packed else bucket_table(limit, budget)
        encoding = Encoding(
            model or plain_model(encoder),
            places if packed and places else Positions(),
            head,
            encoder.dimensions,
        )

        def compile_shapes(shapes: Shape | ShapeTable, streams: int) -> Program:
            properties = complete_config(devices, config, streams)
            return Program(core, encoding, shapes, device, properties)

        programs = Programs(
            compile_shapes,
            table,
            streams=streams,
            weight_bytes=encoder.weight_bytes,
        )
        try:
            compiled = programs.build().compiled
        except RuntimeError as error:
            raise ModelUnsuitable(
                f"{encoder.path} does not compile for {device}: {last_line(error)}"
            ) from error
        info = EngineInfo(
            dimensions=encoder.dimensions,
            vocab_size=encoder.vocab_size,
            max_tokens=limit,
            device=device,
            precision=property_of(compiled, "INFERENCE_PRECISION_HINT", "unknown"),
            threads=int(property_of(compiled, "INFERENCE_NUM_THREADS", "0")),
            streams=int(property_of(compiled, "NUM_STREAMS", "1")),
            path="packed" if packed else "bucketed",
            why=why,
            inputs=encoder.inputs,
            pooling=head.pooling,
            normalize=normalize,
            shapes=table.shapes,
            weight_bytes=encoder.weight_bytes,
        )
        _log_opened(encoder, info)
        parallel = int(property_of(compiled, "OPTIMAL_NUMBER_OF_INFER_REQUESTS", "1"))
        return cls(info, Worker(programs, budget, BULK_BUDGET, parallel))

    def submit(
        self,
        sequences: Sequence[TokenIds],
        *,
        lane: Lane | None = None,
        client: Hashable | None = None,
        terms: Terms = ANY_TERMS,
        batches: list[Batch] | None = None,
    ) -> Future[Result]:
        """Queue the token ids of some texts, from any thread.

        The result is float32 [N, dimensions] pooled, else a list of [tokens, dimensions]. `lane` is
        by size unless given; clients take turns; inferences are noted in `batches`. Cancelling the future takes its texts out of the
        queue. Raises a SequenceError (EmptySequence, NotTokenIds, TooLong, BadTokenId), EngineClosed, or what
        `terms` say (Overloaded, RequestError), at once, with nothing queued; the future may raise InferenceFailed, NotFinite, EngineClosed.
        """
        future: Future[Result] = Future()
        self._put(sequences, lane, client, terms, batches, Waiter(future))
        return future

    def submit_async(
        self,
        sequences: Sequence[TokenIds],
        *,
        lane: Lane | None = None,
        client: Hashable | None = None,
        terms: Terms = ANY_TERMS,
        batches: list[Batch] | None = None,
    ) -> asyncio.Future[Result]:
        """`submit` for coroutines: an awaitable of the running event loop, which is woken once for
        all requests that a batch completes."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._put(sequences, lane, client, terms, batches, Waiter(future, loop))
        return future

    @property
    def admission(self) -> Admission:
        """Who may queue now."""
        return self._worker.admission

    @property
    def ready(self) -> bool:
        """False while the model is compiled anew after a failure, and once closed."""
        return self._worker.ready

    @property
    def counts(self) -> Counts:
        """Totals since opening; padding is `slots - tokens`."""
        return deepcopy(self._worker.counts)

    @property
    def parallel(self) -> int:
        """How many inferences can be under way."""
        return self._worker.parallel

    @property
    def running(self) -> int:
        """How many are."""
        return self._worker.running

    def waiting(self) -> Mapping[Lane, int]:
        """Texts in the queue."""
        return self._worker.waiting()

    def ages(self) -> Mapping[Lane, float]:
        """Seconds that the oldest request in the queue has waited."""
        return self._worker.ages()

    def warm_up(self) -> None:
        """Wait until all programs are compiled; until then one stands in for the others."""
        self._worker.programs.complete()

    def close(self, timeout: float = CLOSE_TIMEOUT_S) -> None:
        """Infer what is queued, for at most `timeout` seconds; what is left fails."""
        self._worker.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _put(
        self,
        sequences: Sequence[TokenIds],
        lane: Lane | None,
        client: Hashable | None,
        terms: Terms,
        batches: list[Batch] | None,
        waiter: Waiter,
    ) -> None:
        texts = self._checked(sequences)
        tokens = sum(map(len, texts))
        by_size = self.admission.lane_of(tokens)
        if lane is None:
            lane = by_size
        self.admission.check(lane, terms)
        terms.charge(tokens)
        if client is None and Lane.BULK in (lane, by_size):
            client = waiter
        job = Job(texts, lane, client, waiter)
        job.batches = batches
        pooled = self.info.pooling is not None
        job.result = (
            np.empty((len(texts), self.info.dimensions), np.float32)
            if pooled
            else [None] * len(texts)
        )
        if not texts:
            waiter.future.set_result(job.result)
            return
        self._worker.put(job)
        waiter.future.add_done_callback(partial(self._forget_if_cancelled, job))

    def _forget_if_cancelled(self, job: Job, future: Future[Any] | asyncio.Future[Any]) -> None:
        if future.cancelled():
            self._worker.discard(job)

    def _checked(self, sequences: Sequence[TokenIds]) -> list[np.ndarray]:
        """The sequences as arrays, when all are what the model takes."""
        limit, vocab_size = self.info.max_tokens, self.info.vocab_size
        texts = [np.asarray(ids) for ids in sequences]
        for index, ids in enumerate(texts):
            if ids.size == 0:
                raise EmptySequence(index)
            if ids.ndim != 1 or ids.dtype.kind not in "iu":
                raise NotTokenIds(index)
            if len(ids) > limit:
                raise TooLong(index, len(ids), limit)
        if texts and vocab_size is not None:
            together = texts[0] if len(texts) == 1 else np.concatenate(texts)
            # A negative id is a huge one, unsigned: one comparison for both bounds.
            unsigned = together.astype(np.int64, copy=False).view(np.uint64)
            if np.maximum.reduce(unsigned) >= vocab_size:
                raise _bad_token(texts, vocab_size)
        return texts


def _bad_token(texts: Sequence[np.ndarray], vocab_size: int) -> BadTokenId:
    for index, ids in enumerate(texts):
        bad = np.flatnonzero((ids < 0) | (ids >= vocab_size))
        if bad.size:
            return BadTokenId(index, int(bad[0]), int(ids[bad[0]]), vocab_size)
    raise AssertionError("no bad token")


def _max_tokens(encoder: Encoder, places: Positions | None, wanted: int | None) -> int:
    table = places.limit if places else None
    limit = wanted or table or DEFAULT_MAX_TOKENS
    if limit < 1 or (table is not None and limit > table):
        raise ModelUnsuitable(
            f"max_tokens is {limit}: {encoder.path} has positions for 1 to {table} tokens"
        )
    return limit


def _packed_or_plain(
    core: ov.Core, encoder: Encoder, places: Positions
) -> tuple[ov.Model | None, str]:
    """The packed model if there is a right one, and the reason."""
    try:
        model = packed_model(core, encoder)
        difference = verify(core, encoder, model, places, packed=True)
        return model, f"packed rows equal single texts to {difference:.0e} on random texts"
    except NotPackable as error:
        reason = f"no packing: {error}"
    except Differs as error:
        reason = f"its packed form fails: {error}"
    try:
        verify(core, encoder, plain_model(encoder), Positions(), packed=False)
    except Differs as error:
        raise ModelUnsuitable(
            f"{encoder.path} cannot be batched: padded, {error}; packed, {reason}"
        ) from error
    return None, reason


def _log_opened(encoder: Encoder, info: EngineInfo) -> None:
    log.info(
        "opened %s on %s: %s, %d threads (%s), %d streams, %s (%s), texts up to %d tokens,"
        " shapes %s, %.0f MiB of weights",
        encoder.path,
        info.device,
        info.precision,
        info.threads,
        cpu_budget().reason,
        info.streams,
        info.path,
        info.why,
        info.max_tokens,
        " ".join(map(str, info.shapes)),
        info.weight_bytes / 2**20,
    )
