"""A compiled model and its infer requests, each with a thread of its own.

After an inference that failed OpenVINO may answer the next ones wrongly, also on other infer requests of
the same compiled model. So a failure replaces the compiled model, and what ran beside it runs again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openvino as ov

from calcgraph.calculators.engine.model import last_line
from calcgraph.calculators.openvino.element_types import from_openvino, to_openvino
from calcgraph.runtime.payload import Tensor

log = logging.getLogger(__name__)


class InferenceError(RuntimeError):
    """What OpenVINO says of an inference that failed, in one line."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One compilation; the next has another number."""

    model: ov.CompiledModel
    number: int


class _Thread(threading.local):
    """What a thread of the session works with."""

    compiled: _Compiled | None = None
    request: Any = None


class Session:
    """Runs inferences, at most `requests` at a time; more wait their turn."""

    def __init__(
        self, core: ov.Core, model: ov.Model, device: str, config: Mapping[str, Any], requests: int
    ) -> None:
        """`requests` 0 is as many as the device says it does best. Raises ValueError."""
        self._core, self._model, self._device, self._config = core, model, device, dict(config)
        self._lock = threading.Lock()
        self._compiled = _Compiled(self._compile(), 0)
        self.requests = requests or self._best_number_of_requests()
        self._threads = ThreadPoolExecutor(self.requests, "calcgraph-openvino")
        self._mine = _Thread()
        self._outputs = [port.get_any_name() for port in model.outputs]
        self.replacing = False
        self.inferences = self.failures = 0
        self.busy_s = 0.0

    def submit(self, inputs: Sequence[Tensor]) -> Future[Sequence[Tensor]]:
        """All outputs of the model, in its order. The future raises InferenceError."""
        return self._threads.submit(self._infer, inputs)

    def close(self) -> None:
        """Wait for what runs; what waits is cancelled."""
        self._threads.shutdown(cancel_futures=True)

    def property(self, name: str) -> Any:
        """A property of the compiled model, None where the device has none of that name."""
        try:
            return self._compiled.model.get_property(name)
        except RuntimeError:
            return None

    def _infer(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        started = time.perf_counter()
        try:
            while True:
                compiled, request = self._request()
                answer = self._run(compiled, request, inputs)
                if compiled is self._compiled:
                    return answer
        finally:
            with self._lock:
                self.inferences += 1
                self.busy_s += time.perf_counter() - started

    def _run(self, compiled: _Compiled, request: Any, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        try:
            for tensor in inputs:
                request.set_tensor(tensor.name, to_openvino(tensor))
            # Not infer(): with one thread it swallows errors and answers with what was there before.
            request.start_async()
            request.wait()
            return [
                from_openvino(name, request.get_output_tensor(i))
                for i, name in enumerate(self._outputs)
            ]
        except RuntimeError as error:
            self._replace(compiled)
            raise InferenceError(last_line(error)) from error

    def _request(self) -> tuple[_Compiled, Any]:
        """This thread's infer request of the model as it is compiled now."""
        with self._lock:
            compiled = self._compiled
        if self._mine.compiled is not compiled:
            self._mine.request = compiled.model.create_infer_request()
            self._mine.compiled = compiled
        return compiled, self._mine.request

    def _replace(self, failed: _Compiled) -> None:
        with self._lock:
            self.failures += 1
            if failed is not self._compiled:
                return
            self.replacing = True
            try:
                self._compiled = _Compiled(self._compile(), failed.number + 1)
            finally:
                self.replacing = False
        log.warning("an inference failed; the model was compiled anew")

    def _compile(self) -> ov.CompiledModel:
        try:
            return self._core.compile_model(self._model, self._device, self._config)
        except RuntimeError as error:
            raise ValueError(
                f"the model cannot be compiled for {self._device}: {last_line(error)}"
            ) from error

    def _best_number_of_requests(self) -> int:
        return int(self.property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") or 1)
