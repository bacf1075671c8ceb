"""The life of the server: listen, load, serve, drain, close."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.services import MODELS
from calcgraph.servers import product
from calcgraph.servers.auth.flags import Security
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.health_port import HealthPort
from calcgraph.servers.limits.limits import Limits
from calcgraph.servers.limits.transfer import TransferLimits
from calcgraph.servers.metrics.ovms import NO_OVMS_METRICS, OvmsMetrics
from calcgraph.servers.observation.load_counts import LoadCounts
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.pulse import Pulse
from calcgraph.servers.repository.flags import Following
from calcgraph.servers.repository.opening import open_graph
from calcgraph.servers.repository.repository import Repository
from calcgraph.servers.rest.cors import NO_CORS, Cors
from calcgraph.servers.tracing.open_telemetry import Tracing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where one front end listens; port 0 takes a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to serve. A front end without an address does not start."""

    rest: Listen | None
    grpc: Listen | None
    drain_s: float
    """How long running requests may take to end once the server was told to stop."""
    grace_s: float = 0.0
    """How long before that it goes on taking requests, so that load balancers see that it is not ready."""
    health: Listen | None = None
    keep_serving: bool = False
    """Without the models that cannot be loaded."""
    transfer: TransferLimits = field(default_factory=TransferLimits)
    grpc_channel_options: Mapping[str, str | int] = field(default_factory=dict)
    cors: Cors = NO_CORS
    security: Security = field(default_factory=Security)
    limits: Limits = field(default_factory=Limits)
    ovms_metrics: OvmsMetrics = NO_OVMS_METRICS
    model_control: bool = False
    """Whether clients may load and unload models (KServe's repository extension)."""
    base_path: str = ""
    """What stands before every path of REST."""
    tracing: Tracing | None = None


class FrontEnd(Protocol):
    """A protocol that is served."""

    async def start(self, host: str, port: int) -> str: ...

    async def stop(self) -> None: ...


async def serve(models: Following, options: ServerOptions, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; a second signal ends the process at once.

    The front ends listen before the models load, so that an occupied port is told at once and probes see
    a server that lives and is not ready. `announce` gets one line when all is ready. Raises StatusError
    when a port or a model cannot be had.
    """
    with _stopped_by_signals(), contextlib.suppress(asyncio.CancelledError):
        loads = LoadCounts()
        services: dict[str, Any] = {}
        repository = Repository(
            loads.counted(partial(open_graph, services=services)),
            source=models.source,
            budget_bytes=models.budget_bytes,
        )
        # What one model asks of another does not count against its caller's quota a second time.
        services[MODELS] = DataPlane(repository)
        pulse = Pulse(lambda: plane.ready)
        plane = DataPlane(repository, replace(options.limits, loop_late_s=lambda: pulse.late_s))
        observation = Observation(
            plane, loads=loads, ovms=options.ovms_metrics, tracing=options.tracing
        )
        async with AsyncExitStack() as opened:
            opened.enter_context(pulse)
            if options.health is not None:
                opened.enter_context(HealthPort(pulse, options.health.host, options.health.port))
            if options.tracing is not None:
                opened.push_async_callback(asyncio.to_thread, options.tracing.close)
            opened.push_async_callback(repository.close)
            addresses = await opened.enter_async_context(_listening(plane, options, observation))
            try:
                names = repository.names
                failed = [name for name in names if not await _started(repository, name, options)]
                pulse.started = True
                announce(_ready_line(addresses, plane, failed))
                await repository.watch(models.poll_s)
            except asyncio.CancelledError:
                plane.turn_away()
                await asyncio.sleep(options.grace_s)
                raise


async def _started(repository: Repository, name: str, options: ServerOptions) -> bool:
    """Whether the model could be loaded. Raises StatusError if the server is not to serve without."""
    try:
        await repository.start(name)
    except StatusError as error:
        if not options.keep_serving:
            raise
        log.error("%s", error)
        return False
    return True


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """The first signal cancels the current task, which then drains; the second does not wait."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop(number: int) -> None:
        if task.cancelling():
            os._exit(128 + number)
        log.info("stopping on %s", signal.Signals(number).name)
        task.cancel()

    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _listening(
    plane: DataPlane, options: ServerOptions, observation: Observation
) -> AsyncIterator[Mapping[str, str]]:
    """The front ends by name, with their addresses; all stop together."""
    addresses: dict[str, str] = {}
    started: list[FrontEnd] = []
    try:
        for name, listen, front_end in _front_ends(plane, options, observation):
            started.append(front_end)
            addresses[name] = await front_end.start(listen.host, listen.port)
        yield addresses
    finally:
        await asyncio.gather(*(front_end.stop() for front_end in started))


def _front_ends(
    plane: DataPlane, options: ServerOptions, observation: Observation
) -> Iterator[tuple[str, Listen, FrontEnd]]:
    # grpc takes a tenth of a second to import, for nothing when only REST is served.
    if options.rest is not None:
        from calcgraph.servers.rest.front_end import RestFrontEnd

        rest = RestFrontEnd(
            plane,
            transfer=options.transfer,
            drain_s=options.drain_s,
            cors=options.cors,
            security=options.security,
            observation=observation,
            model_control=options.model_control,
            base_path=options.base_path,
        )
        yield "REST", options.rest, rest
    if options.grpc is not None:
        # Its fork handlers complain on stderr of every subprocess that a library starts.
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        from calcgraph.servers.rpc.front_end import GrpcFrontEnd

        grpc = GrpcFrontEnd(
            plane,
            drain_s=options.drain_s,
            channel_options=options.grpc_channel_options,
            transfer=options.transfer,
            security=options.security,
            observation=observation,
            model_control=options.model_control,
        )
        yield "gRPC", options.grpc, grpc


def _ready_line(addresses: Mapping[str, str], plane: DataPlane, failed: Collection[str]) -> str:
    places = ", ".join(f"{name} {address}" for name, address in addresses.items())
    names = ", ".join(name for name in plane.names if name not in failed)
    state = "not ready" if failed else "ready"
    lacking = f", not loaded: {', '.join(failed)}" if failed else ""
    return f"{product.NAME} {product.VERSION} {state}: {places}, models: {names}{lacking}"
