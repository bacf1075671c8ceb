"""google.protobuf.Struct as a person would write it: `dimensions: 128  name: "x"  sizes: [1, 2]`.

protobuf's own text form of a Struct (`fields { key: "dimensions" value { number_value: 128 } }`) is
read as well: a Struct whose every field is `fields { key ... }` is in that form.
"""

from __future__ import annotations

import math
from typing import Any

from google.protobuf.message import Message

from calcgraph.runtime.problems import Problems
from calcgraph.runtime.textproto import Block, Field, Form, Scalar, Source, string_value

_WORDS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "inf": math.inf,
    "-inf": -math.inf,
    "nan": math.nan,
}


def bind_struct(message: Message, block: Block, source: Source, problems: Problems) -> None:
    """Fill a Struct (of any descriptor pool) from either form; what is wrong goes to `problems`."""
    reader = _Reader(source, problems)
    message.update(reader.mapping(block))  # type: ignore[attr-defined]


class _Reader:
    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems

    def _wrong(self, offset: int, text: str) -> None:
        self._problems.add(self._source.location(offset), text)

    def mapping(self, block: Block) -> dict[str, Any]:
        if block.fields and all(_is_entry(field) for field in block.fields):
            return self._entries(block)
        values: dict[str, Any] = {}
        for field in block.fields:
            if field.form is not Form.PLAIN:
                self._wrong(field.start, f"'[{field.name}]' in a Struct, expected `key: value`")
            elif field.name in values:
                self._wrong(
                    field.start,
                    f"'{field.name}' is given twice; several values are a list: "
                    f"{field.name}: [a, b]",
                )
            elif field.is_list:
                values[field.name] = [self._value(value) for value in field.values]
            else:
                values[field.name] = self._value(field.values[0])
        return values

    def _value(self, value: Scalar | Block) -> Any:
        if isinstance(value, Block):
            return self.mapping(value)
        if value.kind == "string":
            return self._string(value)
        if value.kind == "number":
            return _number(value.text)
        if value.text in _WORDS:
            return _WORDS[value.text]
        self._wrong(
            value.start,
            f'found {value.text}, expected a number, true, false, null or a string: "{value.text}"',
        )
        return None

    def _string(self, value: Scalar) -> str:
        try:
            return string_value(value).decode("utf-8")
        except ValueError as error:
            self._wrong(
                value.start, f"found {value.text}, expected correct escapes and UTF-8 ({error})"
            )
            return ""

    def _entries(self, block: Block) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for entry in (value for field in block.fields for value in field.values):
            assert isinstance(entry, Block)
            parts = {field.name: field.values[0] for field in entry.fields if field.values}
            key, value = parts.get("key"), parts.get("value")
            if not isinstance(key, Scalar) or key.kind != "string":
                self._wrong(entry.start, 'expected `key: "name"` in quotes')
                continue
            values[self._string(key)] = self._entry_value(value, entry)
        return values

    def _entry_value(self, value: Scalar | Block | None, entry: Block) -> Any:
        if not isinstance(value, Block) or len(value.fields) != 1:
            self._wrong(entry.start, "expected `value { number_value: 1 }` or the like")
            return None
        field = value.fields[0]
        held = field.values[0] if len(field.values) == 1 else None
        if field.name == "struct_value" and isinstance(held, Block):
            return self._entries(held) if held.fields else {}
        if field.name == "list_value" and isinstance(held, Block):
            items = [item for part in held.fields if part.name == "values" for item in part.values]
            return [self._entry_value(item, held) for item in items]
        if field.name == "null_value":
            return None
        if field.name in ("number_value", "string_value", "bool_value") and isinstance(
            held, Scalar
        ):
            return self._value(held)
        self._wrong(
            field.start,
            f"found {field.name}, expected one of null_value, number_value, string_value, "
            "bool_value, struct_value, list_value",
        )
        return None


def _is_entry(field: Field) -> bool:
    return field.name == "fields" and all(
        isinstance(value, Block) and any(part.name == "key" for part in value.fields)
        for value in field.values
    )


def _number(text: str) -> float:
    digits = (
        text.removeprefix("-").rstrip("fF") if "x" not in text.lower() else text.removeprefix("-")
    )
    value = float(int(digits, 16)) if digits[:2].lower() == "0x" else float(digits)
    return -value if text.startswith("-") else value
