"""A calculator's options: lifted from the graph untouched, decoded when a calculator names its type.

A block of options whose type nobody knows yet travels inside the message that encloses it, as one
protobuf field without a name (`_CARRIER`). So it is copied wherever its node is copied: into the
nodes of a subgraph, into a SwitchContainer's contained nodes, into another graph.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from calcgraph.proto import graph_pb2
from calcgraph.runtime.binding import bind, find_type
from calcgraph.runtime.errors import Code, GraphError, Location
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.textproto import Block, Field, Form, Source, read

M = TypeVar("M", bound=Message)

_CARRIER: Final = 2**29 - 1
"""The highest field number there is, which no schema uses."""
_LENGTH_DELIMITED: Final = 2

_ENCLOSING: Final = frozenset(
    {
        "google.protobuf.Any",
        "mediapipe.CalculatorOptions",
        "mediapipe.MediaPipeOptions",
        "mediapipe.PacketFactoryOptions",
        "mediapipe.PacketGeneratorOptions",
    }
)


@dataclass(frozen=True)
class OptionBlock:
    """`[type.googleapis.com/pkg.Type] {...}` or `[pkg.Type.ext] {...}`, not yet decoded."""

    name: str
    """As written between the brackets."""
    body: Source | bytes
    """The text between the braces, or the serialized message of a binary graph."""
    location: Location
    is_extension: bool = False
    is_override: bool = False
    """Put in place of the author's block of this type (by option_value)."""

    @property
    def type_name(self) -> str:
        """The message type; by convention an extension is called `ext` inside the type it holds."""
        return self.name.removesuffix(".ext") if self.is_extension else self.name.rpartition("/")[2]

    def holds(self, kind: type[Message]) -> bool:
        descriptor = kind.DESCRIPTOR
        return self.type_name == descriptor.full_name or (
            self.is_extension and any(e.full_name == self.name for e in descriptor.extensions)
        )

    def decode(self, kind: type[M], problems: Problems) -> M:
        """The message, bound by the pool of its own class. Mistakes go to `problems`."""
        message = kind()
        if isinstance(self.body, bytes):
            try:
                message.ParseFromString(self.body)
            except DecodeError as error:
                problems.add(self.location, f"the options {self.type_name} are damaged: {error}")
            return message
        try:
            document = read(self.body)
        except GraphError as error:
            problems.extend(error.problems)
            return message
        nested = Problems()
        bind(message, document.root, document.source, nested, on_block=lift_block)
        problems.extend(nested.in_order())
        missing = message.FindInitializationErrors()  # type: ignore[attr-defined]
        if missing and not nested:
            problems.add(
                self.location, f"the options {self.type_name} lack {', '.join(map(repr, missing))}"
            )
        return message


def lift_block(message: Message, field: Field, source: Source) -> bool:
    """Keep a bracketed block undecoded in the options message that encloses it."""
    if message.DESCRIPTOR.full_name not in _ENCLOSING:
        return False
    if message.DESCRIPTOR.file.pool is not graph_pb2.DESCRIPTOR.pool:
        return False
    if (message.DESCRIPTOR.full_name == "google.protobuf.Any") != (field.form is Form.ANY):
        return False
    block = field.values[0]
    assert isinstance(block, Block)
    body = source.part(block.start, block.end)
    at = source.location(field.start)
    if field.form is Form.ANY:
        message.type_url = field.name  # type: ignore[attr-defined]
    _carry(message, OptionBlock(field.name, body, at, field.form is Form.EXTENSION))
    return True


def override(
    node: graph_pb2.CalculatorGraphConfig.Node, options: Message, location: Location
) -> None:
    """Give a node options that count instead of its own of the same type."""
    name = str(options.DESCRIPTOR.full_name)
    data = options.SerializePartialToString()
    _carry(node.options, OptionBlock(name, data, location, False, True))


def blocks_of(message: Message, location: Location) -> Iterator[OptionBlock]:
    """Every block of options in one options message, from text and from binary graphs."""
    carried = False
    for unknown in UnknownFieldSet(message):  # type: ignore[attr-defined]
        if unknown.field_number == _CARRIER and unknown.wire_type == _LENGTH_DELIMITED:
            carried = True
            yield _carried_block(unknown.data)
        elif unknown.wire_type == _LENGTH_DELIMITED:
            yield OptionBlock(f"extension {unknown.field_number}", unknown.data, location, True)
    if message.DESCRIPTOR.full_name == "google.protobuf.Any":
        if not carried and (message.type_url or message.value):  # type: ignore[attr-defined]
            yield OptionBlock(message.type_url, message.value, location)  # type: ignore[attr-defined]
        return
    for extension, value in message.ListFields():
        if extension.is_extension:
            yield OptionBlock(extension.full_name, value.SerializePartialToString(), location, True)


class OptionSet:
    """All options given to one node, handler or executor, and which of them somebody asked for."""

    def __init__(
        self, legacy: Message | None, blocks: list[OptionBlock], location: Location
    ) -> None:
        """`legacy` is the extendable `options` message, `blocks` those of `node_options`."""
        self._legacy = [] if legacy is None else list(blocks_of(legacy, location))
        self._blocks = blocks
        self._asked: set[int] = set()
        self._location = location

    @classmethod
    def of_node(cls, node: graph_pb2.CalculatorGraphConfig.Node, location: Location) -> OptionSet:
        blocks = [block for any_ in node.node_options for block in blocks_of(any_, location)]
        return cls(node.options if node.HasField("options") else None, blocks, location)

    @property
    def all(self) -> list[OptionBlock]:
        """What counts first comes first: the latest override, `options`, `node_options`."""
        overrides = [block for block in reversed(self._legacy) if block.is_override]
        return [*overrides, *(b for b in self._legacy if not b.is_override), *self._blocks]

    def get(self, kind: type[M], problems: Problems) -> M:
        """Rule O1: what `options` holds of this type, else `node_options`, else the defaults."""
        block = self.find(kind)
        return kind() if block is None else block.decode(kind, problems)

    def find(self, kind: type[Message]) -> OptionBlock | None:
        """The block that holds `kind`, which then counts as read (and so do those it hides)."""
        found = [block for block in self.all if _holds(block, kind)]
        self._asked.update(map(id, found))
        return found[0] if found else None

    def mark_read(self, type_names: Collection[str]) -> None:
        """Blocks of these types are somebody's, whoever decodes them."""
        self._asked.update(id(block) for block in self.all if block.type_name in type_names)

    def report_duplicates(self, problems: Problems) -> None:
        """Rule O2: no type twice among the `node_options`, nor twice among the `options`."""
        for blocks in (self._legacy, self._blocks):
            seen: dict[str, Location] = {}
            for block in blocks:
                if block.is_override:
                    continue
                if block.type_name in seen:
                    problems.add(
                        block.location,
                        f"Options type: '{block.type_name}' specified more than once for a single "
                        f"calculator node config (first at {seen[block.type_name]})",
                        Code.UNKNOWN,
                    )
                seen.setdefault(block.type_name, block.location)

    def check_known_types(self, problems: Problems) -> None:
        """Without a calculator to ask, look for mistakes in what some descriptor pool knows."""
        for block in self.all:
            descriptor = find_type(block.type_name)
            if descriptor is not None:
                block.decode(GetMessageClass(descriptor), problems)

    def report_unread(self, problems: Problems, owner: str, taken: list[str]) -> None:
        """Options that nobody asked for are a mistake: most likely a misspelt type."""
        for block in self.all:
            if id(block) in self._asked:
                continue
            expected = " or ".join(taken) if taken else "no options"
            guess = did_you_mean(block.type_name, taken) if len(taken) > 1 else ""
            problems.add(
                block.location,
                f"{owner} does not take options of type {block.type_name}, expected {expected}{guess}",
            )


def _holds(block: OptionBlock, kind: type[Message]) -> bool:
    if block.holds(kind):
        return True
    number = block.name.removeprefix("extension ")
    return number.isdigit() and any(e.number == int(number) for e in kind.DESCRIPTOR.extensions)


def _carry(message: Message, block: OptionBlock) -> None:
    at, body = block.location, block.body
    carried = {
        "name": block.name,
        "extension": block.is_extension,
        "at": [at.file, at.line, at.column],
        "text": None if isinstance(body, bytes) else [body.text, body.line, body.column],
        "data": body.hex() if isinstance(body, bytes) else None,
    }
    _append_carrier(message, json.dumps(carried).encode())


def _carried_block(carrier: bytes) -> OptionBlock:
    carried = json.loads(carrier)
    at = Location(*carried["at"])
    if carried["text"] is None:
        return OptionBlock(carried["name"], bytes.fromhex(carried["data"]), at, False, True)
    text, line, column = carried["text"]
    body = Source(text, at.file, line, column)
    return OptionBlock(carried["name"], body, at, carried["extension"])


def _append_carrier(message: Message, data: bytes) -> None:
    tag = _varint(_CARRIER << 3 | _LENGTH_DELIMITED)
    message.MergeFromString(tag + _varint(len(data)) + data)


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
