"""The models that are served, whichever protocol asks for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from calcgraph.runtime.errors import Code, FailedStatus, RequestError
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.payload import HttpRequest, HttpResponse, InferRequest, InferResponse
from calcgraph.servers.errors import shortened

if TYPE_CHECKING:
    from calcgraph.runtime.executor import ModelMetadata
    from calcgraph.runtime.measurement import Measurement


class Servable(Protocol):
    """A loaded model; `calcgraph.runtime.executor.GraphExecutor` is one."""

    @property
    def metadata(self) -> ModelMetadata: ...

    @property
    def ready(self) -> bool: ...

    def measurements(self) -> Iterable[Measurement]: ...

    async def infer(self, request: HttpRequest | InferRequest) -> HttpResponse | InferResponse: ...

    async def close(self) -> None: ...


class DataPlane:
    """Models by name. A name is registered before its model is loaded, and is not ready until then.

    Every method raises RequestError for a name or a version that is not served (NOT_FOUND) and for a
    model that is not loaded yet (UNAVAILABLE). A loaded model that is not ready for a moment, since it
    mends itself, takes requests all the same: they wait.
    """

    def __init__(self) -> None:
        self._models: dict[str, Servable | None] = {}

    @property
    def names(self) -> Sequence[str]:
        """Every registered name, loaded or not, in the order of the configuration."""
        return tuple(self._models)

    @property
    def ready(self) -> bool:
        """All that was registered answers requests."""
        return bool(self._models) and all(m is not None and m.ready for m in self._models.values())

    def register(self, name: str) -> None:
        """Make a name known; requests for it are told to wait."""
        self._models[name] = None

    async def load(self, name: str, open_model: Callable[[], Awaitable[Servable]]) -> None:
        """Open the model of a registered name."""
        self._models[name] = await open_model()

    async def close(self) -> None:
        """Close all models; the names stay, not ready."""
        for name, model in self._models.items():
            self._models[name] = None
            if model is not None:
                await model.close()

    def is_ready(self, name: str, version: str = "") -> bool:
        """Whether a registered model answers requests now."""
        model = self._registered(name, version)
        return model is not None and model.ready

    def metadata(self, name: str, version: str = "") -> ModelMetadata:
        """What a loaded model says of itself."""
        return self._loaded(name, version).metadata

    def measurements(self, name: str) -> Iterable[Measurement]:
        """What a registered model measures; nothing before it is loaded."""
        model = self._registered(name, "")
        return () if model is None else model.measurements()

    async def answer(self, name: str, request: HttpRequest) -> HttpResponse:
        """Answer one JSON request."""
        response = await self._loaded(name, "").infer(request)
        if not isinstance(response, HttpResponse):
            raise _wrong_kind(name, response)
        return response

    async def infer(self, name: str, request: InferRequest, version: str = "") -> InferResponse:
        """Answer one Open Inference Protocol request: the outputs it asks for, in its order."""
        model = self._loaded(name, version)
        _check_outputs(request, model.metadata)
        response = await model.infer(request)
        if not isinstance(response, InferResponse):
            raise _wrong_kind(name, response)
        return _selected(response, request.outputs)

    def _registered(self, name: str, version: str) -> Servable | None:
        if name not in self._models:
            asked = shortened(name)
            raise RequestError(
                f"The model '{asked}' does not exist{did_you_mean(asked, self._models)}",
                param="model",
                reason="model_not_found",
                code=Code.NOT_FOUND,
            )
        if version:
            _check_version(name, version)
        return self._models[name]

    def _loaded(self, name: str, version: str) -> Servable:
        model = self._registered(name, version)
        if model is None:
            raise RequestError(
                f"The model '{name}' is not ready yet.",
                param="model",
                reason="model_not_ready",
                code=Code.UNAVAILABLE,
            )
        return model


# A graph has one version, as in OVMS; 0 asks for the newest there is.
_VERSIONS = frozenset({"0", "1"})


def _check_version(name: str, version: str) -> None:
    if version in _VERSIONS:
        return
    if not (version.isascii() and version.isdecimal()):
        raise RequestError(f"The version '{version[:40]}' is not a number.", param="version")
    raise RequestError(
        f"The model '{name}' has no version {version[:40]}; it has version 1.",
        param="version",
        reason="model_not_found",
        code=Code.NOT_FOUND,
    )


def _check_outputs(request: InferRequest, metadata: ModelMetadata) -> None:
    known = [spec.name for spec in metadata.outputs]
    for name in request.outputs:
        if name not in known:
            raise RequestError(
                f"The model '{metadata.name}' has no output '{name}'; it has {', '.join(known)}.",
                param="outputs",
            )


def _selected(response: InferResponse, names: Sequence[str]) -> InferResponse:
    if not names:
        return response
    by_name = {tensor.name: tensor for tensor in response.outputs}
    return InferResponse([by_name[name] for name in names], response.parameters)


def _wrong_kind(name: str, response: object) -> FailedStatus:
    return FailedStatus(
        Code.INTERNAL, f"the graph of model '{name}' answered with a {type(response).__name__}"
    )
