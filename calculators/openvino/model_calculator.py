"""A plain OpenVINO model as a node: from a request of tensors to an answer of tensors.

A model without a graph is served by the graph of this one node that servers/plain_models.py writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import openvino as ov

from calcgraph.calculators.embeddings_calculator_ov import plugin_config
from calcgraph.calculators.engine.box import cpu_budget
from calcgraph.calculators.engine.core import new_core
from calcgraph.calculators.engine.device import check_config, devices_of
from calcgraph.calculators.openvino.expected import Expected, ordered
from calcgraph.calculators.openvino.model_file import files_of, read_model
from calcgraph.calculators.openvino.session import InferenceError, Session
from calcgraph.calculators.openvino.shapes import lay_out, reshape
from calcgraph.proto.openvino_model_pb2 import OpenVINOModelOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.fingerprint import FINGERPRINT, by_options, digest_of
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.payload import InferRequest, InferResponse
from calcgraph.runtime.plan import GraphPlan, NodePlan


@dataclass(frozen=True, slots=True)
class _Loaded:
    session: Session
    inputs: Sequence[Expected]
    outputs: Sequence[Expected]
    digest: str

    @property
    def is_dynamic(self) -> bool:
        return any(each.is_dynamic for each in self.inputs)


class OpenVINOModel(Calculator):
    """Checks a request against the model, infers it, answers with all outputs."""

    inputs = {"REQUEST": InferRequest}
    outputs = {"RESPONSE": InferResponse}
    options = OpenVINOModelOptions
    stateless = True

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> _Loaded:
        options = node.options
        assert isinstance(options, OpenVINOModelOptions)
        core, path = new_core(), node.base_path / options.models_path
        model = read_model(core, path)
        reshape(model, options.shape, options.batch_size)
        model = lay_out(model, options.layout)
        inputs = [Expected.of(port) for port in model.inputs]
        outputs = [Expected.of(port) for port in model.outputs]
        config = _config(core, options)
        session = Session(core, model, options.target_device, config, options.nireq)
        try:
            return _Loaded(session, inputs, outputs, digest_of(*files_of(path)))
        except BaseException:
            session.close()
            raise

    @classmethod
    def unload(cls, resource: _Loaded) -> None:
        resource.session.close()

    @classmethod
    def ready(cls, resource: _Loaded) -> bool:
        return not resource.session.replacing

    @classmethod
    def measurements(cls, resource: _Loaded) -> Iterator[Measurement]:
        session = resource.session
        yield Measurement("openvino_requests", session.requests, "Inferences that run at a time.")
        for name, value, help in (
            ("openvino_inferences", session.inferences, "Inferences, also those that failed."),
            ("openvino_inference_seconds", session.busy_s, "Time that inferences took."),
            ("openvino_failures", session.failures, "Inferences that failed."),
        ):
            yield Measurement(name, value, help, total=True)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: _Loaded, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        assert isinstance(node.options, OpenVINOModelOptions)
        return {
            "platform": "OpenVINO",
            "inputs": [each.spec for each in resource.inputs],
            "outputs": [each.spec for each in resource.outputs],
            "device": node.options.target_device,
            "nireq": resource.session.requests,
            FINGERPRINT: [resource.digest, by_options(node)],
        }

    def open(self, cc: CalculatorContext) -> None:
        self.model: _Loaded = cc.resource

    async def process(self, cc: CalculatorContext) -> None:
        request: InferRequest = cc.inputs["REQUEST"].value
        tensors = ordered(self.model.inputs, request.inputs)
        try:
            outputs = await asyncio.wrap_future(self.model.session.submit(tensors))
        except InferenceError as error:
            if not self.model.is_dynamic:
                raise
            # Sizes that the model's shape allows and its arithmetic does not are the caller's.
            raise RequestError(
                f"The model cannot be run on inputs of these shapes: {error}", param="inputs"
            ) from error
        cc.outputs["RESPONSE"].add(InferResponse(outputs))


def _config(core: ov.Core, options: OpenVINOModelOptions) -> dict[str, Any]:
    """The given properties, and for a CPU what serves many requests at a time."""
    given = plugin_config(options.plugin_config)
    devices = devices_of(core, options.target_device)
    check_config(options.target_device, devices, given)
    config = dict(given)
    if list(devices) == ["CPU"]:
        config.setdefault("INFERENCE_NUM_THREADS", cpu_budget().cpus)
        if "NUM_STREAMS" not in config:
            config.setdefault("PERFORMANCE_HINT", "THROUGHPUT")
    return config
