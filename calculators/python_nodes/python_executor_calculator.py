"""A node whose work is done by a Python file, as in OVMS.

    node {
      name: "upper"
      calculator: "PythonExecutorCalculator"
      input_side_packet: "PYTHON_NODE_RESOURCES:py"
      input_stream: "INPUT:text"
      output_stream: "OUTPUT:upper"
      node_options { [type.googleapis.com/mediapipe.PythonExecutorCalculatorOptions] {
        handler_path: "model.py"
      } }
    }

An `execute` that yields has its outputs sent one after the other: the node writes to its own LOOPBACK
input, and goes on with every packet that comes back. Until the generator ends it takes no other request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyovms
from calcgraph.calculators.python_nodes.node_code import NodeCode, code_file
from calcgraph.calculators.python_nodes.node_tensor import NodeTensor, to_node
from calcgraph.proto.ovms_pb2 import PythonExecutorCalculatorOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract, optional
from calcgraph.runtime.errors import Code, RequestError, status_error
from calcgraph.runtime.fingerprint import FINGERPRINT, digest_of
from calcgraph.runtime.payload import RawTensor
from calcgraph.runtime.plan import GraphPlan, NodePlan, Port

log = logging.getLogger(__name__)

LOOPBACK: Final = "LOOPBACK"


class PythonExecutorCalculator(Calculator):
    """Calls OvmsPythonModel.execute on a thread, with the tensors of one time in the order of their tags."""

    # OVMS hands its node the loaded code under this name; ours is loaded by the node.
    input_side_packets = {"PYTHON_NODE_RESOURCES": optional(Any)}
    options = PythonExecutorCalculatorOptions

    @classmethod
    def contract(cls, contract: Contract) -> None:
        for ports in (contract.inputs, contract.outputs):
            for tag, index in ports:
                ports[tag, index].set(bool if tag == LOOPBACK else RawTensor)
        if contract.inputs.has(LOOPBACK) != contract.outputs.has(LOOPBACK):
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"{LOOPBACK} is an input and an output of the node, or neither",
            )
        if contract.inputs.has(LOOPBACK):
            contract.set_timestamp_offset(None)  # a generator writes at times of its own

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> NodeCode:
        assert isinstance(node.options, PythonExecutorCalculatorOptions)
        graph_folder = Path(node.location.file).parent
        file = code_file(node.options.handler_path, node.base_path, graph_folder)
        return NodeCode.load(file, node.name, _names(node.inputs), _names(node.outputs))

    @classmethod
    def unload(cls, resource: NodeCode) -> None:
        resource.close()

    @classmethod
    def describe(
        cls, node: NodePlan, resource: NodeCode, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {FINGERPRINT: ["python", digest_of(resource.file)]}

    def open(self, cc: CalculatorContext) -> None:
        self.code: NodeCode = cc.resource
        self.outputs_by_name = {
            port.stream.name: key
            for key, port in zip(cc.outputs, cc.outputs.values(), strict=True)
            if key[0] != LOOPBACK
        }
        self.generator: Iterator[Any] | None = None

    def process(self, cc: CalculatorContext) -> None:
        tensors = [
            to_node(packet.value)
            for (tag, _), packet in zip(cc.inputs, cc.inputs.values(), strict=True)
            if tag != LOOPBACK and not packet.is_empty()
        ]
        if self.generator is None:
            self._execute(cc, tensors)
        elif tensors:
            raise RequestError(
                "The node still answers the request before; send this one in another stream.",
                code=Code.RESOURCE_EXHAUSTED,
            )
        else:
            self._go_on(cc, self.generator)

    def _execute(self, cc: CalculatorContext, tensors: list[pyovms.Tensor]) -> None:
        if not tensors:
            return  # the last packet of a generator that has ended
        result = self._called(cc, self.code.execute, tensors)
        if isinstance(result, list):
            self._write(cc, result)
        elif not isinstance(result, Iterator):
            raise self._wrong(cc, f"execute returned {_kind(result)}; expected a list of Tensor")
        elif LOOPBACK not in cc.outputs:
            raise self._wrong(cc, f"execute yields, for which the node needs {LOOPBACK}")
        else:
            self.generator = result
            self._go_on(cc, result)

    def _go_on(self, cc: CalculatorContext, generator: Iterator[Any]) -> None:
        result = self._called(cc, next, generator, None)
        if result is None:
            self.generator = None
            return
        if not isinstance(result, list):
            raise self._wrong(cc, f"execute yielded {_kind(result)}; expected a list of Tensor")
        self._write(cc, result)
        cc.outputs[LOOPBACK].add(True, cc.timestamp + 1)

    def _write(self, cc: CalculatorContext, tensors: list[Any]) -> None:
        for tensor in tensors:
            if not isinstance(tensor, pyovms.Tensor):
                raise self._wrong(cc, f"execute gave {_kind(tensor)} for a tensor")
            key = self.outputs_by_name.get(tensor.name)
            if key is None:
                expected = ", ".join(map(repr, self.outputs_by_name))
                raise self._wrong(
                    cc, f"execute gave a tensor named {tensor.name!r}; the outputs are {expected}"
                )
            cc.outputs[key].add(NodeTensor.of(tensor))

    def _called(self, cc: CalculatorContext, method: Any, *arguments: Any) -> Any:
        try:
            return method(*arguments)
        except RequestError:
            raise
        except Exception as error:
            log.exception("%s: node %r failed", self.code.file, cc.node_name)
            raise RequestError(
                f"The Python node '{cc.node_name}' failed: {type(error).__name__}: {error}",
                code=Code.INTERNAL,
            ) from error

    def _wrong(self, cc: CalculatorContext, what: str) -> RequestError:
        log.error("%s: node %r: %s", self.code.file, cc.node_name, what)
        return RequestError(f"The Python node '{cc.node_name}' failed: {what}.", code=Code.INTERNAL)


def _names(ports: Sequence[Port]) -> Sequence[str]:
    """As OVMS gives them: in the order of the graph file."""
    in_file = sorted(ports, key=lambda port: (port.location.line, port.location.column))
    return [port.name for port in in_file]


def _kind(value: object) -> str:
    return f"a {type(value).__name__}" if value is not None else "nothing"
