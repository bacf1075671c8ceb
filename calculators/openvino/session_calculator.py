"""Another model of the server, for the nodes of a graph: OVMS's session.

node {
  calculator: "OpenVINOModelServerSessionCalculator"
  output_side_packet: "SESSION:session"
  node_options { [type.googleapis.com/mediapipe.OpenVINOModelServerSessionCalculatorOptions] {
    servable_name: "add"
    servable_version: "1"
  } }
}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calcgraph.proto.ovms_pb2 import OpenVINOModelServerSessionCalculatorOptions
from calcgraph.runtime.calculator import STOP, Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.errors import Code, RequestError, status_error
from calcgraph.runtime.payload import InferRequest, Tensor
from calcgraph.runtime.services import MODELS, Models
from calcgraph.runtime.tensors import DATATYPE_OF

Arrays = Mapping[str, np.ndarray[Any, np.dtype[Any]]]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model by its name, asked anew each time: it may be loaded anew, or put to sleep, meanwhile."""

    models: Models
    name: str
    version: str = ""
    """Empty is the newest."""

    async def infer(self, inputs: Arrays) -> Arrays:
        """All outputs by name. Raises RequestError for inputs that the model does not take."""
        request = InferRequest(self.name, [_tensor(name, array) for name, array in inputs.items()])
        try:
            response = await self.models.infer(self.name, request, self.version)
        except RequestError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            raise status_error(
                Code.FAILED_PRECONDITION, f"the session's model is not served: {error.message}"
            ) from None
        return _arrays(self.name, [each for each in response.outputs if isinstance(each, Tensor)])


class OpenVINOModelServerSessionCalculator(Calculator):
    """Gives the SESSION. OVMS's other options say where to find a server, and have no effect inside one."""

    output_side_packets = {"SESSION": ServedModel}
    options = OpenVINOModelServerSessionCalculatorOptions
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        contract.use_service(MODELS)

    def open(self, cc: CalculatorContext) -> None:
        options: OpenVINOModelServerSessionCalculatorOptions = cc.options
        served = ServedModel(cc.service(MODELS), options.servable_name, options.servable_version)
        cc.output_side_packets["SESSION"].set(served)

    def process(self, cc: CalculatorContext) -> Any:
        return STOP


def _tensor(name: str, array: np.ndarray[Any, np.dtype[Any]]) -> Tensor:
    datatype = DATATYPE_OF.get(array.dtype.newbyteorder("="))
    if datatype is None:
        raise ValueError(f"input '{name}' is an array of {array.dtype}; expected numbers or bytes")
    return Tensor(name, datatype, array)


def _arrays(model: str, tensors: Sequence[Tensor]) -> Arrays:
    for tensor in tensors:
        if tensor.datatype == "BF16":
            raise ValueError(
                f"output '{tensor.name}' of model '{model}' is BF16, which numpy has not"
            )
    return {tensor.name: tensor.data for tensor in tensors}
