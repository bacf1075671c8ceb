"""What travels through a served graph's input and output streams, by the tag of the stream.

As in OVMS the beginning of the tag decides: TENSOR, TENSOR1 and TENSOR:1:name are one kind. A kind says
which tensors it carries (`check`) and in which Python form a packet holds one (`form`); a stream whose
reader declares another of FORMS gets that instead. A new kind of packet is a line of KINDS, a new Python
form a line of FORMS (from a request) and of `written` (into an answer).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

import numpy as np

from calcgraph.runtime.errors import Code, RequestError, StatusError, status_error
from calcgraph.runtime.payload import AnyTensor, RawTensor, Tensor
from calcgraph.runtime.tensors import DATATYPE_OF, DATATYPES, decoded, to_raw

Check = Callable[[AnyTensor], None]
"""Raises RequestError for a tensor that a kind of packet cannot carry."""


@dataclass(frozen=True, slots=True)
class PacketKind:
    """One kind of packet that is made of one tensor."""

    prefix: str
    """What the tag begins with."""
    check: Check
    form: type
    """The Python type of a packet's payload, where the stream has no type."""
    raw: bool = False
    """Bytes of a request are handed over undecoded, also of datatypes that only the graph knows."""
    datatype: str = ""
    """The only datatype, if there is one."""


def _refuse(tensor: AnyTensor, what: str, code: Code = Code.INVALID_ARGUMENT) -> NoReturn:
    raise RequestError(f"Input '{tensor.name}' {what}", param=tensor.name, code=code)


def _any(tensor: AnyTensor) -> None:
    """Whatever came."""


def _numbers(tensor: AnyTensor) -> None:
    if tensor.datatype == "BYTES":
        _refuse(tensor, "has the datatype BYTES; its stream carries numbers.")


_MEDIAPIPE_DATATYPES: Final = ("FP32", "FP16", "INT32", "INT8", "UINT8", "BOOL")


def _mediapipe(tensor: AnyTensor) -> None:
    if tensor.datatype not in _MEDIAPIPE_DATATYPES:
        expected = ", ".join(_MEDIAPIPE_DATATYPES)
        _refuse(tensor, f"has the datatype {tensor.datatype}; its stream carries {expected}.")
    if 0 in tensor.shape:
        _refuse(tensor, f"has the shape {list(tensor.shape)}; every dimension must be > 0.")


_IMAGE_CHANNELS: Final[Mapping[str, tuple[int, ...]]] = {
    "FP16": (1, 3, 4),
    "FP32": (1, 2),
    "UINT8": (1, 3, 4),
    "INT8": (1, 3, 4),
    "UINT16": (1, 3, 4),
    "INT16": (1, 3, 4),
}


def _image(tensor: AnyTensor) -> None:
    if not isinstance(tensor, RawTensor):
        _refuse(tensor, "is an image, which travels as raw bytes only.")
    if len(tensor.shape) != 3 or 0 in tensor.shape:
        _refuse(
            tensor,
            f"has the shape {list(tensor.shape)}; an image has height, width and channels, all > 0.",
        )
    channels = _IMAGE_CHANNELS.get(tensor.datatype)
    if channels is None:
        expected = ", ".join(_IMAGE_CHANNELS)
        _refuse(tensor, f"has the datatype {tensor.datatype}; an image has one of {expected}.")
    if tensor.shape[2] not in channels:
        expected = ", ".join(map(str, channels))
        _refuse(
            tensor,
            f"has {tensor.shape[2]} channels; an image of {tensor.datatype} has one of {expected}.",
        )


def _text(tensor: AnyTensor) -> None:
    if tensor.datatype != "BYTES":
        _refuse(tensor, f"has the datatype {tensor.datatype}; its stream carries BYTES.")
    if len(tensor.shape) > 1 and tensor.shape != (tensor.shape[0], 1):
        _refuse(tensor, f"has the shape {list(tensor.shape)}; texts have [N] or [N, 1].")


def _tflite(tensor: AnyTensor) -> None:
    _refuse(tensor, "goes into a TFLITE_TENSOR stream, which is not supported.", Code.UNIMPLEMENTED)


NUMBERS: Final = PacketKind("OVTENSOR", _numbers, np.ndarray)

# In this order: TFLITE_TENSOR and TENSOR begin differently, but OVMS_PY_TENSOR must not meet OV...
KINDS: Final = (
    PacketKind("TFLITE_TENSOR", _tflite, np.ndarray),
    PacketKind("TFTENSOR", _numbers, np.ndarray),
    PacketKind("TENSOR", _mediapipe, np.ndarray),
    PacketKind("OVMS_PY_TENSOR", _any, RawTensor, raw=True),
    PacketKind("IMAGE", _image, np.ndarray, raw=True),
    PacketKind("TEXT", _text, list, datatype="BYTES"),
    NUMBERS,
)
"""All others, and streams without a tag, are like OVTENSOR."""


def kind_of(tag: str) -> PacketKind:
    """The kind of packet in a stream with that tag."""
    return next((kind for kind in KINDS if tag.startswith(kind.prefix)), NUMBERS)


def _array(tensor: AnyTensor) -> Any:
    if tensor.datatype == "BF16":
        _refuse(tensor, "has the datatype BF16, which this model's graph cannot take.")
    return decoded(tensor).data


def _raw(tensor: AnyTensor) -> RawTensor:
    if isinstance(tensor, RawTensor):
        return tensor
    return RawTensor(tensor.name, tensor.datatype, tensor.shape, to_raw(tensor))


def _texts(tensor: AnyTensor) -> list[str]:
    texts = []
    for i, element in enumerate(decoded(tensor).data.reshape(-1).tolist()):
        try:
            texts.append(element.decode())
        except UnicodeDecodeError as error:
            _refuse(
                tensor, f"is no UTF-8 in its element {i}: {error.reason} at byte {error.start}."
            )
    return texts


def _one_text(tensor: AnyTensor) -> str:
    texts = _texts(tensor)
    if len(texts) != 1:
        _refuse(tensor, f"has {len(texts)} elements; its stream carries one text.")
    return texts[0]


FORMS: Final[Mapping[type, Callable[[AnyTensor], Any]]] = {
    np.ndarray: _array,
    Tensor: decoded,
    RawTensor: _raw,
    list: _texts,
    str: _one_text,
}
"""From a request's tensor to a packet's payload, by the payload's Python type."""


def written(stream: str, kind: PacketKind, payload: Any) -> AnyTensor:
    """The tensor that a packet of an output stream is sent as.

    Raises UNIMPLEMENTED for a kind that no protocol carries, INTERNAL for a payload that is no tensor.
    """
    if kind.check is _tflite:
        raise RequestError(
            f"Output '{stream}' is a TFLITE_TENSOR stream, which is not supported.",
            param=stream,
            code=Code.UNIMPLEMENTED,
        )
    if isinstance(payload, np.ndarray | np.generic):
        return Tensor(stream, _datatype(stream, payload), np.asarray(payload))
    if isinstance(payload, Tensor | RawTensor):
        return replace(payload, name=stream)
    if isinstance(payload, str):
        payload = [payload]
    if isinstance(payload, list) and all(isinstance(each, str | bytes) for each in payload):
        elements = np.empty(len(payload), np.object_)
        elements[:] = [each.encode() if isinstance(each, str) else each for each in payload]
        return Tensor(stream, "BYTES", elements)
    raise _no_tensor(stream, f"a {type(payload).__name__}")


def _datatype(stream: str, array: Any) -> str:
    datatype = DATATYPE_OF.get(array.dtype.newbyteorder("="))
    if datatype is None:
        raise _no_tensor(stream, f"an array of {array.dtype}")
    if datatype == "BYTES" and not all(isinstance(each, bytes) for each in array.reshape(-1)):
        raise _no_tensor(stream, "an array of objects that are not bytes")
    return datatype


def _no_tensor(stream: str, found: str) -> StatusError:
    return status_error(
        Code.INTERNAL,
        f"the graph's output stream '{stream}' has {found}; it carries arrays of numbers, "
        f"Tensor ({', '.join(DATATYPES)}), RawTensor or texts",
    )
