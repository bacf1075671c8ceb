"""Infer requests and responses of the Open Inference Protocol, as gRPC messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from calcgraph.proto import inference_pb2 as pb
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import (
    AnyTensor,
    InferRequest,
    InferResponse,
    Parameter,
    RawTensor,
    Tensor,
    TensorSpec,
)
from calcgraph.runtime.tensors import (
    Datatype,
    datatype_of,
    from_raw,
    from_values,
    shape_of,
    to_raw,
)

if TYPE_CHECKING:
    from calcgraph.runtime.model_metadata import ModelMetadata


def read_infer(
    message: pb.ModelInferRequest, metadata: Mapping[str, str], raw_inputs: Collection[str] = ()
) -> InferRequest:
    """One ModelInfer call. Raises RequestError for what does not fit together."""
    inputs, raw = message.inputs, message.raw_input_contents
    if not inputs:
        raise RequestError("The request has no inputs.", param="inputs")
    if raw and len(raw) != len(inputs):
        raise RequestError(
            f"The request has {len(inputs)} inputs and {len(raw)} raw_input_contents; "
            "expected one for each input, or none.",
            param="raw_input_contents",
        )
    tensors: dict[str, AnyTensor] = {}
    for i, item in enumerate(inputs):
        if item.name in tensors:
            raise RequestError(
                f"The input '{item.name}' stands in the request twice.", param="inputs"
            )
        tensors[item.name] = _read_tensor(item, raw[i] if raw else None, raw_inputs)
    return InferRequest(
        message.model_name,
        [tensor for tensor in tensors.values() if isinstance(tensor, Tensor)],
        [output.name for output in message.outputs],
        message.id,
        read_parameters(message.parameters),
        metadata,
        [tensor for tensor in tensors.values() if isinstance(tensor, RawTensor)]
        if raw_inputs
        else (),
    )


def write_infer(model: str, id: str, response: InferResponse) -> pb.ModelInferResponse:
    """The answer; all data are raw, the only form that every client reads."""
    message = pb.ModelInferResponse(model_name=model, model_version=response.version, id=id)
    for tensor in response.outputs:
        message.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        message.raw_output_contents.append(to_raw(tensor))
    for name, value in response.parameters.items():
        _write_parameter(message.parameters[name], value)
    return message


def write_metadata(metadata: ModelMetadata) -> pb.ModelMetadataResponse:
    """What a model says of itself."""
    return pb.ModelMetadataResponse(
        name=metadata.name,
        versions=metadata.versions,
        platform=metadata.platform,
        inputs=_write_specs(metadata.inputs),
        outputs=_write_specs(metadata.outputs),
    )


def _write_specs(specs: Sequence[TensorSpec]) -> list[pb.ModelMetadataResponse.TensorMetadata]:
    return [
        pb.ModelMetadataResponse.TensorMetadata(
            name=spec.name, datatype=spec.datatype, shape=spec.shape
        )
        for spec in specs
    ]


def _read_tensor(
    item: pb.ModelInferRequest.InferInputTensor, raw: bytes | None, raw_inputs: Collection[str]
) -> AnyTensor:
    shape = shape_of(item.name, item.shape)
    if raw is None:
        datatype = datatype_of(item.name, item.datatype)
        return from_values(item.name, datatype, shape, _contents(item, datatype))
    if item.HasField("contents") and item.contents.ListFields():
        raise RequestError(
            f"Input '{item.name}' has both contents and raw_input_contents; expected one of them.",
            param=item.name,
        )
    if item.name in raw_inputs:
        return RawTensor(item.name, item.datatype, shape, raw)
    return from_raw(item.name, datatype_of(item.name, item.datatype), shape, raw)


def _contents(
    item: pb.ModelInferRequest.InferInputTensor, datatype: Datatype
) -> Sequence[bool | int | float | bytes]:
    filled = [field.name for field, _ in item.contents.ListFields()]
    if datatype.contents is None:
        raise RequestError(
            f"Input '{item.name}' has the datatype {datatype.name}, which only raw_input_contents carry.",
            param=item.name,
        )
    if any(name != datatype.contents for name in filled):
        raise RequestError(
            f"Input '{item.name}' has its values in {' and '.join(filled)}; the datatype "
            f"{datatype.name} has them in {datatype.contents}.",
            param=item.name,
        )
    # A list, since numpy would cast the message's own container without a look at the range.
    return list(getattr(item.contents, datatype.contents))


def read_parameters(parameters: Mapping[str, pb.InferParameter]) -> Mapping[str, Parameter]:
    """Those that have a value."""
    return {
        name: getattr(value, choice)
        for name, value in parameters.items()
        if (choice := value.WhichOneof("parameter_choice"))
    }


def _write_parameter(message: pb.InferParameter, value: Parameter) -> None:
    setattr(message, _PARAMETER_FIELDS[type(value)], value)


_PARAMETER_FIELDS: Mapping[type[Any], str] = {
    bool: "bool_param",
    int: "int64_param",
    str: "string_param",
    float: "double_param",
}
