"""MediaPipe's `packet_getter`: what a packet holds, checked, for code written against its Python binding.

A packet of another type raises ValueError, in MediaPipe's words. An empty one is RuntimeError, but
ValueError where numbers are asked for, as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from google.protobuf.message import Message

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.packet import Packet


def get_str(packet: Packet) -> str:
    """Text; bytes are decoded as UTF-8."""
    return _text(_value(packet, str | bytes, "string"))


def get_bytes(packet: Packet) -> bytes:
    """Bytes; text is encoded as UTF-8."""
    value = _value(packet, str | bytes, "string")
    return value.encode() if isinstance(value, str) else bytes(value)


def get_bool(packet: Packet) -> bool:
    return bool(_value(packet, bool, "bool"))


def get_int(packet: Packet) -> int:
    """Any integer, since Python has but one type of them; not a bool."""
    if not _is_integer(packet._payload):
        raise _lacks("int, int8, int16, int32, or int64 data")
    return int(packet.value)


def get_uint(packet: Packet) -> int:
    """An integer that is not negative."""
    if not _is_integer(packet._payload) or packet.value < 0:
        raise _lacks("uint8, uint16, uint32, or uint64 data")
    return int(packet.value)


def get_float(packet: Packet) -> float:
    """A number that is no integer type, however whole it is."""
    if not _is_float(packet._payload):
        raise _lacks("float or double data")
    return float(packet.value)


def get_int_list(packet: Packet) -> list[int]:
    if not _is_list(packet._payload, _is_integer):
        raise _lacks("int, int8, int16, int32, or int64 containers")
    return [int(item) for item in packet.value]


def get_float_list(packet: Packet) -> list[float]:
    if not _is_list(packet._payload, _is_float):
        raise _lacks("std::vector<float> or std::array<float, 4 / 16> containers")
    return [float(item) for item in packet.value]


def get_bool_list(packet: Packet) -> list[bool]:
    return _list(packet, bool, "list of bool")


def get_str_list(packet: Packet) -> list[str]:
    return [_text(item) for item in _list(packet, str | bytes, "list of string")]


def get_packet_list(packet: Packet) -> list[Packet]:
    return _list(packet, Packet, "list of Packet")


def get_str_to_packet_dict(packet: Packet) -> dict[str, Packet]:
    expected = "dict of Packet"
    value = _value(packet, Mapping, expected)
    if not all(isinstance(item, Packet) for item in value.values()):
        raise _mismatch(value, expected)
    return dict(value)


def get_proto(packet: Packet) -> Message:
    """A copy of the message: what a packet holds is not to be changed."""
    return _copy(_value(packet, Message, "protobuf message"))


def get_proto_list(packet: Packet) -> list[Message]:
    return [_copy(item) for item in _list(packet, Message, "list of protobuf message")]


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_float(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, Integral)


def _is_list(value: Any, holds: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(holds, value))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _copy(message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _list(packet: Packet, kind: Any, expected: str) -> list[Any]:
    value = _value(packet, list | tuple, expected)
    if not all(isinstance(item, kind) for item in value):
        raise _mismatch(value, expected)
    return list(value)


def _value(packet: Packet, kind: Any, expected: str) -> Any:
    if packet.is_empty():
        raise status_error(
            Code.INTERNAL,
            f"Expected a Packet of type: {expected}, but received an empty Packet.",
        )
    if not isinstance(packet.value, kind):
        raise _mismatch(packet.value, expected)
    return packet.value


def _mismatch(value: Any, expected: str) -> StatusError:
    found = "string" if isinstance(value, str | bytes) else type(value).__name__
    return status_error(
        Code.INVALID_ARGUMENT, f'The Packet stores "{found}", but "{expected}" was requested.'
    )


def _lacks(what: str) -> StatusError:
    return status_error(Code.INVALID_ARGUMENT, f"Packet doesn't contain {what}.")
