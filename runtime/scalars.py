"""From a number, string or word as written to the value of a protobuf field."""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.textproto import Scalar, string_value

# The type stubs hold protobuf's C and Python descriptors for different things; they are not.
FieldType: TypeAlias = Any

_INTEGERS: Final = {
    FieldDescriptor.CPPTYPE_INT32: ("int32", -(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: ("int64", -(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: ("uint32", 0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: ("uint64", 0, 2**64 - 1),
}
_FLOATS: Final = {FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE}
_BOOLS: Final = {
    **dict.fromkeys(("true", "True", "t", "1"), True),
    **dict.fromkeys(("false", "False", "f", "0"), False),
}
_SPECIAL_FLOATS: Final = {"inf": math.inf, "infinity": math.inf, "nan": math.nan}
_FLOAT32_MAX: Final = 3.4028235677973366e38


class Wrong(Exception):
    """A value that a field cannot hold; the text says what was expected instead."""


def scalar_value(descriptor: FieldType, scalar: Scalar) -> Any:
    """The Python value of a scalar for a field that is not a message. Raises Wrong."""
    kind = descriptor.cpp_type
    if kind in _INTEGERS:
        return _integer(scalar, *_INTEGERS[kind])
    if kind in _FLOATS:
        return _float(scalar, kind == FieldDescriptor.CPPTYPE_FLOAT)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        if scalar.kind == "string" or scalar.text not in _BOOLS:
            raise Wrong("true or false" + did_you_mean(scalar.text, ("true", "false")))
        return _BOOLS[scalar.text]
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return _enum(descriptor, scalar)
    return _string(descriptor, scalar)


def _integer(scalar: Scalar, name: str, lowest: int, highest: int) -> int:
    text = scalar.text
    try:
        if scalar.kind != "number":
            raise ValueError
        digits = text.removeprefix("-")
        if digits.isdigit() and len(digits) > 1 and digits[0] == "0":
            value = int(text, 8)
        else:
            value = int(text, 16 if digits[:2] in ("0x", "0X") else 10)
    except ValueError:
        raise Wrong(f"a whole number ({name})") from None
    if not lowest <= value <= highest:
        raise Wrong(f"a whole number between {lowest} and {highest} ({name})")
    return value


def _float(scalar: Scalar, single: bool) -> float:
    sign, text = (-1.0, scalar.text[1:]) if scalar.text[:1] == "-" else (1.0, scalar.text)
    if scalar.kind == "word" and text.casefold() in _SPECIAL_FLOATS:
        return sign * _SPECIAL_FLOATS[text.casefold()]
    try:
        if scalar.kind != "number":
            raise ValueError
        value = sign * float(text.rstrip("fF"))
    except ValueError:
        raise Wrong("a number") from None
    # What a float32 cannot hold is infinite, as in protobuf's own reader.
    return math.copysign(math.inf, value) if single and abs(value) >= _FLOAT32_MAX else value


def _enum(descriptor: FieldType, scalar: Scalar) -> int:
    values = descriptor.enum_type.values_by_name
    if scalar.kind == "word" and scalar.text in values:
        return int(values[scalar.text].number)
    if scalar.kind == "number":
        number = _integer(scalar, "int32", -(2**31), 2**31 - 1)
        if number in descriptor.enum_type.values_by_number:
            return number
    raise Wrong("one of " + ", ".join(values) + did_you_mean(scalar.text.strip("\"'"), values))


def _string(descriptor: FieldType, scalar: Scalar) -> str | bytes:
    if scalar.kind != "string":
        raise Wrong(f'a string in quotes, for example "{scalar.text}"')
    try:
        data = string_value(scalar)
        return data if descriptor.type == FieldDescriptor.TYPE_BYTES else data.decode("utf-8")
    except ValueError as error:
        raise Wrong(f"a string with correct escapes and UTF-8 ({error})") from None


def expected(descriptor: FieldType) -> str:
    """What a field that is not a message takes, in words."""
    kind = descriptor.cpp_type
    if kind in _INTEGERS:
        return f"a whole number ({_INTEGERS[kind][0]})"
    if kind in _FLOATS:
        return "a number"
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return "true or false"
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return "one of " + ", ".join(descriptor.enum_type.values_by_name)
    return "a string in quotes"
