"""From a syntax tree to a protobuf message, strictly: every mistake is reported, with its place.

Where the schema allows a message of any type (`options`, `node_options`), the block is not bound here:
only the calculator that reads it knows its type. It is handed to `on_block` instead.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, TypeAlias

from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from calcgraph.proto.pool import POOL
from calcgraph.runtime.errors import Location
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.scalars import FieldType, Wrong, expected, scalar_value
from calcgraph.runtime.struct_text import bind_struct
from calcgraph.runtime.textproto import Block, Field, Form, Scalar, Source

Path = tuple[str | int, ...]
"""Field names and indexes from the root: ("node", 0, "input_stream", 1)."""

# As `scalars.FieldType`.
MessageType: TypeAlias = Any
Pool: TypeAlias = Any

OnBlock = Callable[[Message, Field, Source], bool]
"""Takes the message that encloses a `[type] {...}` block; False leaves the block to the schema."""


def bind(
    message: Message,
    block: Block,
    source: Source,
    problems: Problems,
    *,
    on_block: OnBlock | None = None,
    locations: MutableMapping[Path, Location] | None = None,
) -> None:
    """Fill `message` with the fields of `block`; what does not fit goes to `problems`."""
    binder = _Binder(source, problems, on_block, {} if locations is None else locations)
    binder.message(message, block, ())


class _Binder:
    def __init__(
        self,
        source: Source,
        problems: Problems,
        on_block: OnBlock | None,
        locations: MutableMapping[Path, Location],
    ) -> None:
        self._source = source
        self._problems = problems
        self._on_block = on_block
        self._locations = locations

    def _wrong(self, offset: int, text: str) -> None:
        self._problems.add(self._source.location(offset), text)

    def message(self, message: Message, block: Block, path: Path) -> None:
        if message.DESCRIPTOR.full_name == "google.protobuf.Struct":
            bind_struct(message, block, self._source, self._problems)
            return
        seen: set[str] = set()
        for field in block.fields:
            if field.form is not Form.PLAIN:
                self._bracketed(message, field, path)
                continue
            descriptor = message.DESCRIPTOR.fields_by_name.get(field.name)
            if descriptor is None:
                self._wrong(field.start, _unknown_field(field.name, message.DESCRIPTOR))
            elif self._may_be_set(message, descriptor, field, seen):
                seen.add(field.name)
                self._field(message, descriptor, field, path)

    def _may_be_set(
        self, message: Message, descriptor: FieldType, field: Field, seen: set[str]
    ) -> bool:
        if descriptor.is_repeated:
            return True
        if field.is_list:
            self._wrong(field.start, f"'{field.name}' takes one value, found a list")
            return False
        if field.name in seen:
            self._wrong(field.start, f"'{field.name}' is given twice, expected it once")
            return False
        oneof = descriptor.containing_oneof
        rival = oneof and next((f.name for f in oneof.fields if f.name in seen), None)
        if rival:
            self._wrong(field.start, f"'{field.name}' and '{rival}' exclude each other")
            return False
        return True

    def _field(self, message: Message, descriptor: FieldType, field: Field, path: Path) -> None:
        for value, start in zip(field.values, field.value_starts, strict=True):
            here = (*path, field.name)
            if descriptor.is_repeated:
                here = (*here, len(getattr(message, field.name)))
            self._locations[here] = self._source.location(start if field.is_list else field.start)
            try:
                self._value(message, descriptor, value, here)
            except Wrong as wrong:
                found = "a message" if isinstance(value, Block) else value.text
                text = f"'{field.name}' of {_short(message.DESCRIPTOR)}: found {found}, expected {wrong}"
                self._wrong(start, text)

    def _value(
        self, message: Message, descriptor: FieldType, value: Scalar | Block, path: Path
    ) -> None:
        name = descriptor.name
        if descriptor.message_type is not None:
            if isinstance(value, Scalar):
                raise Wrong("a message in { }")
            if descriptor.message_type.GetOptions().map_entry:
                self._map_entry(message, descriptor, value)
                return
            held = getattr(message, name)
            nested = held.add() if descriptor.is_repeated else held
            if not descriptor.is_repeated:
                nested.SetInParent()
            self.message(nested, value, path)
            return
        if isinstance(value, Block):
            raise Wrong(expected(descriptor))
        plain = scalar_value(descriptor, value)
        if descriptor.is_repeated:
            getattr(message, name).append(plain)
        else:
            setattr(message, name, plain)

    def _map_entry(self, message: Message, descriptor: FieldType, block: Block) -> None:
        entry = GetMessageClass(descriptor.message_type)()
        self.message(entry, block, ())
        held = getattr(message, descriptor.name)
        value_type = descriptor.message_type.fields_by_name["value"]
        if value_type.message_type is not None:
            held[entry.key].CopyFrom(entry.value)  # type: ignore[attr-defined]
        else:
            held[entry.key] = entry.value  # type: ignore[attr-defined]

    def _bracketed(self, message: Message, field: Field, path: Path) -> None:
        value = field.values[0] if len(field.values) == 1 and not field.is_list else None
        if not isinstance(value, Block):
            # Extensions of plain type exist, but nothing of MediaPipe's or OVMS's has one.
            self._wrong(field.start, f"'[{field.name}]': expected one message in {{ }}")
            return
        if self._on_block is not None and self._on_block(message, field, self._source):
            return
        if field.form is Form.ANY:
            self._any(message, field, value)
        else:
            self._extension(message, field, value, path)

    def _any(self, message: Message, field: Field, block: Block) -> None:
        if message.DESCRIPTOR.full_name != "google.protobuf.Any":
            text = (
                f"'[{field.name}]' stands in {_short(message.DESCRIPTOR)}, expected a field of it"
            )
            self._wrong(field.start, text)
            return
        kind = find_type(field.name.rpartition("/")[2], message.DESCRIPTOR.file.pool)
        if kind is None:
            self._wrong(
                field.start, f"'[{field.name}]' is a message type that nothing here defines"
            )
            return
        nested = GetMessageClass(kind)()
        self.message(nested, block, ())
        message.type_url = field.name  # type: ignore[attr-defined]
        message.value = nested.SerializePartialToString()  # type: ignore[attr-defined]

    def _extension(self, message: Message, field: Field, block: Block, path: Path) -> None:
        try:
            extension = message.DESCRIPTOR.file.pool.FindExtensionByName(field.name)
        except KeyError:
            extension = None
        if extension is None or extension.containing_type is not message.DESCRIPTOR:
            self._wrong(
                field.start,
                f"'[{field.name}]' is no known extension of {_short(message.DESCRIPTOR)}",
            )
            return
        nested: Any = message.Extensions[extension]  # type: ignore[index]
        nested.SetInParent()
        self.message(nested, block, (*path, field.name))


def _unknown_field(name: str, descriptor: MessageType) -> str:
    known = [f.name for f in descriptor.fields]
    guess = did_you_mean(name, known)
    if guess:
        return f"{_short(descriptor)} has no field '{name}'{guess}"
    expected = ", ".join(known) if known else "no fields"
    return f"{_short(descriptor)} has no field '{name}', expected {expected}"


def _short(descriptor: MessageType) -> str:
    return str(descriptor.full_name).removeprefix("mediapipe.")


def find_type(name: str, *pools: Pool) -> MessageType | None:
    """A message type by its full name, in the given pools, in ours or in protobuf's default one."""
    for pool in (*pools, POOL, Default()):
        try:
            return pool.FindMessageTypeByName(name)
        except KeyError:
            continue
    return None
