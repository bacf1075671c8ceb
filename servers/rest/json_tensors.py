"""Infer requests and responses of the Open Inference Protocol, in JSON and the bytes behind it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from calcgraph.runtime.errors import Code, FailedStatus, RequestError
from calcgraph.runtime.payload import (
    AnyTensor,
    InferRequest,
    InferResponse,
    Parameter,
    RawTensor,
    Tensor,
)
from calcgraph.runtime.tensors import (
    Datatype,
    datatype_of,
    decoded,
    from_raw,
    from_values,
    shape_of,
    to_raw,
)
from calcgraph.servers.rest.binary_tail import SIZE, BinaryTail

# Says how the answer is written, and nothing to the model.
_BINARY_OUTPUT: Final = "binary_data_output"


@dataclass(frozen=True, slots=True)
class InferCall:
    """One call, and which outputs it wants as bytes behind the JSON."""

    request: InferRequest
    binary: Mapping[str, bool]
    """By output name, where the call says it."""
    binary_by_default: bool

    def wants_binary(self, output: str) -> bool:
        return self.binary.get(output, self.binary_by_default)


def read_infer(
    model: str,
    body: Mapping[str, Any],
    tail: BinaryTail,
    headers: Mapping[str, str],
    raw_inputs: Collection[str] = (),
) -> InferCall:
    """One infer call. Members that the protocol does not know are ignored."""
    items = _objects(body, "inputs")
    inputs = [_read_tensor(i, item, tail, raw_inputs, len(items)) for i, item in enumerate(items)]
    tail.require_end()
    if not inputs:
        raise RequestError("The request has no inputs.", param="inputs")
    names = [tensor.name for tensor in inputs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"The input '{twice}' stands in the request twice.", param="inputs")
    outputs = {
        _string(item, "name", f"outputs[{i}]"): item
        for i, item in enumerate(_objects(body, "outputs"))
    }
    parameters = dict(_parameters(body))
    binary = {name: _binary_data(name, item) for name, item in outputs.items()}
    by_default = parameters.pop(_BINARY_OUTPUT, False)
    if not isinstance(by_default, bool):
        raise RequestError(
            f"The parameter '{_BINARY_OUTPUT}' is a boolean; found {by_default!r:.80}.",
            param=f"parameters.{_BINARY_OUTPUT}",
        )
    request_id = _string(body, "id", "", default="")
    return InferCall(
        InferRequest(
            model,
            [tensor for tensor in inputs if isinstance(tensor, Tensor)],
            list(outputs),
            request_id,
            parameters,
            headers,
            [tensor for tensor in inputs if isinstance(tensor, RawTensor)],
        ),
        {name: wanted for name, wanted in binary.items() if wanted is not None},
        by_default,
    )


def write_infer(call: InferCall, response: InferResponse) -> tuple[dict[str, Any], list[bytes]]:
    """The answer as JSON-ready values, data in row-major order, flat; and the tensors behind them."""
    request = call.request
    tail: list[bytes] = []
    answer: dict[str, Any] = {"model_name": request.model, "model_version": response.version}
    if request.id:
        answer["id"] = request.id
    if response.parameters:
        answer["parameters"] = dict(response.parameters)
    answer["outputs"] = outputs = []
    for tensor in response.outputs:
        output: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        if call.wants_binary(tensor.name):
            tail.append(to_raw(tensor))
            output["parameters"] = {SIZE: len(tail[-1])}
        else:
            output["data"] = _json_data(tensor)
        outputs.append(output)
    return answer, tail


def _binary_data(name: str, output: Mapping[str, Any]) -> bool | None:
    value = _parameters(output).get("binary_data")
    if value is None or isinstance(value, bool):
        return value
    raise RequestError(f"Output '{name}' has a binary_data of {value!r:.80}; expected a boolean.")


def _read_tensor(
    index: int, item: Mapping[str, Any], tail: BinaryTail, raw_inputs: Collection[str], count: int
) -> AnyTensor:
    name = _string(item, "name", f"inputs[{index}]")
    shape = item.get("shape")
    if not isinstance(shape, list):
        raise RequestError(f"Input '{name}' has no shape; expected a list of sizes.", param=name)
    sizes = shape_of(name, shape)
    raw = tail.take(name, _parameters(item))
    if raw is None and tail.is_there and item.get("data") is None:
        raw = _unsized(name, item, sizes, tail, alone=count == 1)
    if raw is not None:
        if item.get("data") is not None:
            raise RequestError(
                f"Input '{name}' has both data and {SIZE}; expected one of them.", param=name
            )
        if name in raw_inputs:
            return RawTensor(name, _string(item, "datatype", name), sizes, raw)
        return from_raw(name, datatype_of(name, item.get("datatype")), sizes, raw)
    datatype = datatype_of(name, item.get("datatype"))
    if not datatype.json:
        raise RequestError(
            f"Input '{name}' has the datatype {datatype.name}, which JSON cannot carry.", param=name
        )
    values = _flat(name, item.get("data"))
    _check_types(name, datatype, values)
    if datatype.name == "BYTES":
        values = [value.encode() for value in values]
    return from_values(name, datatype, sizes, values)


def _unsized(
    name: str, item: Mapping[str, Any], shape: tuple[int, ...], tail: BinaryTail, *, alone: bool
) -> bytes:
    """What OVMS's clients leave out: numbers have as many bytes as their shape, one BYTES input has all."""
    datatype = datatype_of(name, item.get("datatype"))
    if datatype.size:
        return tail.take_bytes(name, datatype.size * math.prod(shape))
    if alone:
        return tail.take_rest()
    raise RequestError(
        f"Input '{name}' has neither data nor {SIZE}, and BYTES do not tell their length.",
        param=name,
    )


def _flat(name: str, data: Any) -> Sequence[Any]:
    """Values nested to any depth, in order. All stand equally deep."""
    if not isinstance(data, list):
        raise RequestError(f"Input '{name}' has no data; expected a list of values.", param=name)
    while data and type(data[0]) is list:
        if any(type(part) is not list for part in data):
            raise RequestError(f"Input '{name}' mixes values and lists of values.", param=name)
        data = list(chain.from_iterable(data))
    values: list[Any] = data
    return values


def _check_types(name: str, datatype: Datatype, values: Sequence[Any]) -> None:
    wrong = set(map(type, values)) - datatype.json
    if wrong:
        index = next(i for i, value in enumerate(values) if type(value) in wrong)
        raise RequestError(
            f"Input '{name}' has the datatype {datatype.name}, but its value {index} is "
            f"{values[index]!r:.80}.",
            param=name,
        )


def _json_data(tensor: AnyTensor) -> Any:
    try:
        tensor = decoded(tensor)
    except RequestError as error:
        raise FailedStatus(
            Code.INTERNAL, f"output '{tensor.name}' cannot be written as JSON: {error}"
        ) from error
    if tensor.datatype == "BYTES":
        return [element.decode() for element in tensor.data.reshape(-1).tolist()]
    if tensor.data.dtype.kind == "f" and not np.isfinite(tensor.data).all():
        raise FailedStatus(
            Code.INTERNAL, f"output '{tensor.name}' holds NaN or infinity, which JSON cannot carry"
        )
    return np.ascontiguousarray(tensor.data).reshape(-1)


def _objects(body: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    items = body.get(key)
    if items is None:
        return ()
    if not isinstance(items, list) or any(type(item) is not dict for item in items):
        raise RequestError(f"'{key}' is a list of objects.", param=key)
    return items


def _string(item: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = item.get(key, default)
    if isinstance(value, str):
        return value
    place = f"{where}.{key}" if where else key
    found = "nothing" if value is None else f"{value!r:.80}"
    raise RequestError(f"'{place}' is a string; found {found}.", param=place)


def _parameters(body: Mapping[str, Any]) -> Mapping[str, Parameter]:
    parameters = body.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise RequestError("'parameters' is an object.", param="parameters")
    for name, value in parameters.items():
        if not isinstance(value, bool | int | float | str):
            raise RequestError(
                f"The parameter '{name}' is a boolean, a number or a string; found {value!r:.80}.",
                param=f"parameters.{name}",
            )
    return parameters
