"""The models that are served, whichever protocol asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from calcgraph.runtime.errors import Code, FailedStatus, RequestError
from calcgraph.runtime.payload import (
    HttpRequest,
    HttpResponse,
    InferRequest,
    InferResponse,
    Parameter,
)
from calcgraph.runtime.signature import UNKNOWN
from calcgraph.runtime.stream_session import StreamAnswer, StreamSession
from calcgraph.servers.errors import shortened
from calcgraph.servers.limits.limits import NO_LIMITS, Limits
from calcgraph.servers.observation.exchange import accepted
from calcgraph.servers.repository.loaded import Loaded
from calcgraph.servers.repository.repository import Refreshed, Repository
from calcgraph.servers.repository.status import VersionStatus

if TYPE_CHECKING:
    from calcgraph.runtime.measurement import Measurement
    from calcgraph.runtime.model_metadata import ModelMetadata


class DataPlane:
    """What clients ask of the models.

    Every method raises RequestError for a name or a version that is not served (NOT_FOUND) and for a
    model that is not loaded yet (UNAVAILABLE). A loaded model that is not ready for a moment, since it
    mends itself, takes requests all the same: they wait. So do those for a model that is loaded on
    demand.
    """

    def __init__(self, repository: Repository, limits: Limits = NO_LIMITS) -> None:
        self._repository = repository
        self.limits = limits
        self.leaving = False
        """The server is about to stop: it answers, and wants no more connections."""

    @property
    def names(self) -> Sequence[str]:
        """Every registered name, loaded or not, in the order of the configuration."""
        return self._repository.names

    @property
    def ready(self) -> bool:
        """All that is to be served answers requests."""
        models = [self._repository.model(name) for name in self.names]
        return not self.leaving and bool(models) and all(model.ready for model in models)

    def turn_away(self) -> None:
        """Be ready no more, while requests that come all the same are answered."""
        self.leaving = True

    def is_ready(self, name: str, version: str = "") -> bool:
        """Whether a registered model answers requests now."""
        return self._repository.model(name).version(version).ready

    def statuses(self) -> Mapping[str, Sequence[VersionStatus]]:
        """How far the versions of every model have come, ascending."""
        return self._repository.statuses

    async def load(self, name: str) -> None:
        """Load a registered model as its files are now. Raises what stands in the way."""
        await self._repository.load(name)

    async def unload(self, name: str) -> None:
        """Free a registered model; requests for it are refused until it is loaded."""
        await self._repository.unload(name)

    async def refresh(self) -> Refreshed:
        """Serve what the files say now, as far as it loads."""
        return await self._repository.refresh()

    async def metadata(self, name: str, version: str = "") -> ModelMetadata:
        """What a model says of itself. One that was never in memory is loaded for it."""
        known = self.known_metadata(name, version)
        if known is None:
            with await self._loaded(name, version) as servable:
                known = self.known_metadata(name, version) or servable.metadata
        return known

    def known_metadata(self, name: str, version: str = "") -> ModelMetadata | None:
        """The same, as far as it is known without loading anything."""
        model = self._repository.model(name)
        found = model.version(version)
        if found.metadata is None or not found.serves:
            return None
        return replace(found.metadata, versions=tuple(map(str, model.numbers)))

    async def raw_inputs(self, name: str, version: str = "") -> frozenset[str]:
        """The inputs whose bytes a model takes undecoded."""
        with await self._loaded(name, version) as servable:
            return servable.metadata.raw_inputs

    def measurements(self, name: str) -> Iterable[Measurement]:
        """What a registered model measures; nothing while it is not in memory."""
        servable = self._repository.model(name).version("").in_memory
        return () if servable is None else servable.measurements()

    async def answer(self, name: str, request: HttpRequest) -> HttpResponse:
        """Answer one JSON request."""
        with await self._loaded(name, "") as servable:
            response = await self.limits.infer(servable, request)
        if not isinstance(response, HttpResponse):
            raise _wrong_kind(name, response)
        return response

    async def infer(self, name: str, request: InferRequest, version: str = "") -> InferResponse:
        """Answer one Open Inference Protocol request: the outputs it asks for, in its order."""
        found = self._repository.model(name).version(version)
        with await found.loaded() as servable:
            _check_outputs(request, servable.metadata)
            response = await self.limits.infer(servable, request)
        if not isinstance(response, InferResponse):
            raise _wrong_kind(name, response)
        return _selected(name, _versioned(response, found.entry.version), request.outputs)

    @asynccontextmanager
    async def stream(
        self, name: str, parameters: Mapping[str, Parameter], version: str = ""
    ) -> AsyncIterator[ModelStream]:
        """A graph of the model for a stream of requests, let go of at the end.

        The parameters of the first request are its side packets; RequestError if they do not fit.
        """
        found = self._repository.model(name).version(version)
        loaded = await found.loaded()
        with loaded as servable:
            session = servable.open_stream(parameters)
            end = partial(session.fail, _unloaded(name))
            loaded.stream_ends.add(end)
            accepted()
            try:
                yield ModelStream(
                    name, found.entry.version, servable.metadata.raw_inputs, session, self.limits
                )
            finally:
                loaded.stream_ends.discard(end)
                session.cancel()

    async def _loaded(self, name: str, version: str) -> Loaded:
        return await self._repository.model(name).version(version).loaded()


@dataclass(frozen=True, slots=True)
class ModelStream:
    """A stream of requests to one version of a model."""

    name: str
    version: int
    raw_inputs: frozenset[str]
    session: StreamSession
    limits: Limits

    async def add(self, request: InferRequest) -> None:
        """See `StreamSession.add`; each request counts for its caller."""
        await self.session.add(self.limits.streamed(request))

    def check(self, name: str, version: str) -> None:
        """Raises RequestError for a request that is meant for another model."""
        if name != self.name:
            raise RequestError(
                f"This stream belongs to the model '{self.name}'; the request names '{shortened(name)}'.",
                param="model",
            )
        if version not in ("", "0", str(self.version)):
            raise RequestError(
                f"This stream belongs to version {self.version} of the model '{self.name}'; the "
                f"request names {version[:40]}.",
                param="version",
            )

    def versioned(self, answer: StreamAnswer) -> InferResponse:
        """One of `session.answers()`, with the version that gave it."""
        return _versioned(answer.response, self.version)


def _unloaded(name: str) -> RequestError:
    return RequestError(
        f"The model '{name}' is unloaded; the stream ends.",
        param="model",
        reason="model_not_ready",
        code=Code.UNAVAILABLE,
    )


def _versioned(response: InferResponse, version: int) -> InferResponse:
    return response if version == 1 else replace(response, version=str(version))


def _check_outputs(request: InferRequest, metadata: ModelMetadata) -> None:
    known = [spec.name for spec in metadata.outputs]
    if any(spec.datatype == UNKNOWN for spec in metadata.outputs):
        return  # the answer itself shows which outputs there are
    for name in request.outputs:
        if name not in known:
            raise _no_output(metadata.name, name, known)


def _no_output(model: str, name: str, known: Iterable[str]) -> RequestError:
    return RequestError(
        f"The model '{model}' has no output '{shortened(name)}'; it has {', '.join(known)}.",
        param="outputs",
    )


def _selected(model: str, response: InferResponse, names: Sequence[str]) -> InferResponse:
    if not names:
        return response
    by_name = {tensor.name: tensor for tensor in response.outputs}
    for name in names:
        if name not in by_name:
            raise _no_output(model, name, by_name)
    return replace(response, outputs=[by_name[name] for name in names])


def _wrong_kind(name: str, response: object) -> FailedStatus:
    return FailedStatus(
        Code.INTERNAL, f"the graph of model '{name}' answered with a {type(response).__name__}"
    )
