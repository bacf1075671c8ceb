"""Infer requests and responses of the Open Inference Protocol, in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from calcgraph.runtime.errors import Code, FailedStatus, RequestError
from calcgraph.runtime.payload import InferRequest, InferResponse, Parameter, Tensor
from calcgraph.servers.tensors import Datatype, datatype_of, from_values, shape_of


def read_infer(model: str, body: Mapping[str, Any]) -> InferRequest:
    """One infer call. Members that the protocol does not know are ignored."""
    inputs = [_read_tensor(i, item) for i, item in enumerate(_objects(body, "inputs"))]
    if not inputs:
        raise RequestError("The request has no inputs.", param="inputs")
    names = [tensor.name for tensor in inputs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"The input '{twice}' stands in the request twice.", param="inputs")
    return InferRequest(
        model,
        inputs,
        [
            _string(item, "name", f"outputs[{i}]")
            for i, item in enumerate(_objects(body, "outputs"))
        ],
        _string(body, "id", "", default=""),
        _parameters(body),
    )


def write_infer(request: InferRequest, response: InferResponse) -> dict[str, Any]:
    """The answer as JSON-ready values: data in row-major order, flat."""
    answer: dict[str, Any] = {"model_name": request.model, "model_version": "1"}
    if request.id:
        answer["id"] = request.id
    if response.parameters:
        answer["parameters"] = dict(response.parameters)
    answer["outputs"] = [_write_tensor(tensor) for tensor in response.outputs]
    return answer


def _read_tensor(index: int, item: Mapping[str, Any]) -> Tensor:
    name = _string(item, "name", f"inputs[{index}]")
    datatype = datatype_of(name, item.get("datatype"))
    shape = item.get("shape")
    if not isinstance(shape, list):
        raise RequestError(f"Input '{name}' has no shape; expected a list of sizes.", param=name)
    if not datatype.json:
        raise RequestError(
            f"Input '{name}' has the datatype {datatype.name}, which JSON cannot carry.", param=name
        )
    sizes = shape_of(name, shape)
    values = _flat(name, item.get("data"))
    _check_types(name, datatype, values)
    if datatype.name == "BYTES":
        values = [value.encode() for value in values]
    return from_values(name, datatype, sizes, values)


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


def _write_tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "datatype": tensor.datatype,
        "shape": list(tensor.shape),
        "data": _json_data(tensor),
    }


def _json_data(tensor: Tensor) -> Any:
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
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise RequestError("'parameters' is an object.", param="parameters")
    for name, value in parameters.items():
        if not isinstance(value, bool | int | float | str):
            raise RequestError(
                f"The parameter '{name}' is a boolean, a number or a string; found {value!r:.80}.",
                param=f"parameters.{name}",
            )
    return parameters
