"""`TAG:index:name`: how the streams and side packets of a node are told apart.

The rules are those of mediapipe/framework/tool/validate_name.cc and tag_map.cc.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from calcgraph.runtime.errors import NOWHERE, Code, Location, StatusError, status_error
from calcgraph.runtime.plan import Port

MAX_INDEX: Final = 10_000

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_TAG: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,4}")

Key = str | int | tuple[str, int]
"""How authors name a port: "TAG", "TAG:1", ("TAG", 1), or an int for an untagged one."""


def validate_name(name: str) -> None:
    """Raises INVALID_ARGUMENT for what is no name of a stream or side packet."""
    if not _NAME.fullmatch(name):
        raise _invalid(name, "a name is lower-case letters, digits and _, and starts with no digit")


def validate_tag(tag: str) -> None:
    """Raises INVALID_ARGUMENT for what is no tag."""
    if not _TAG.fullmatch(tag):
        raise _invalid(tag, "a tag is upper-case letters, digits and _, and starts with no digit")


def parse_index(text: str) -> int:
    """Raises INVALID_ARGUMENT unless `text` is a number from 0 to 10000 without leading zeros."""
    if not _INDEX.fullmatch(text) or int(text) > MAX_INDEX:
        raise _invalid(text, f"an index is a number from 0 to {MAX_INDEX} without leading zeros")
    return int(text)


def parse_tag_index_name(text: str) -> tuple[str, int, str]:
    """`TAG:index:name`, `TAG:name` (index 0) or `name` (tag "", index -1: the next free one)."""
    parts = text.split(":")
    if len(parts) > 3:
        raise _invalid(text, "expected name, TAG:name or TAG:index:name")
    *tag_and_index, name = parts
    try:
        validate_name(name)
        if not tag_and_index:
            return "", -1, name
        validate_tag(tag_and_index[0])
        return tag_and_index[0], parse_index(parts[1]) if len(parts) == 3 else 0, name
    except StatusError as error:
        if error.message.startswith(f"'{text}'"):
            raise
        raise _invalid(text, error.message) from None


def parse_tag_index(text: str) -> tuple[str, int]:
    """`TAG:index`, `TAG`, `:index` or nothing, as in input_stream_info and sync_set."""
    tag, colon, index = text.partition(":")
    try:
        if tag:
            validate_tag(tag)
        return tag, parse_index(index) if colon else 0
    except StatusError as error:
        raise _invalid(text, f"expected TAG, :index or TAG:index ({error.message})") from None


def tag_index_of(key: Key) -> tuple[str, int]:
    """What an author's key stands for."""
    if isinstance(key, int):
        return "", key
    return parse_tag_index(key) if isinstance(key, str) else key


class TagMap(Mapping[tuple[str, int], Port]):
    """The ports of one collection in canonical order: tags bytewise ("" first), then index."""

    def __init__(self, ports: Iterable[Port]) -> None:
        """Raises FAILED_PRECONDITION where the indexes of a tag are not exactly 0..n-1."""
        self._ports = {
            (port.tag, port.index): port
            for port in sorted(ports, key=lambda port: (port.tag, port.index))
        }
        self._ids = {key: place for place, key in enumerate(self._ports)}
        self._counts: dict[str, int] = {}
        for tag, _ in self._ports:
            self._counts[tag] = self._counts.get(tag, 0) + 1

    @classmethod
    def create(cls, texts: Iterable[str], locations: Sequence[Location] = ()) -> TagMap:
        """From the `TAG:index:name` strings of one field."""
        found: dict[tuple[str, int], Port] = {}
        untagged = 0
        for place, text in enumerate(texts):
            tag, index, name = parse_tag_index_name(text)
            if index < 0:
                index, untagged = untagged, untagged + 1
            at = locations[place] if place < len(locations) else NOWHERE
            if earlier := found.get((tag, index)):
                raise status_error(
                    Code.FAILED_PRECONDITION,
                    f"tag \"{tag}\" index {index} is used by both '{earlier.name}' and '{name}'",
                )
            found[tag, index] = Port(tag, index, name, at)
        for tag, index in found:
            if index and (tag, index - 1) not in found:
                raise status_error(
                    Code.FAILED_PRECONDITION,
                    f'tag "{tag}" has index {index} but not {index - 1}; its indexes must be '
                    "0, 1, 2 and so on",
                )
        return cls(found.values())

    @property
    def ports(self) -> tuple[Port, ...]:
        return tuple(self._ports.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(port.name for port in self._ports.values())

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self._counts)

    def count(self, tag: str = "") -> int:
        """How many indexes a tag has."""
        return self._counts.get(tag, 0)

    def id(self, tag: str, index: int = 0) -> int:
        """The place of a port in canonical order. Raises KeyError."""
        return self._ids[tag, index]

    def same_as(self, other: TagMap) -> bool:
        """Same tags, same counts; names do not matter."""
        return self._counts == other._counts

    def canonical(self) -> list[str]:
        """The strings again: `name`, `TAG:name`, or `TAG:i:name` where a tag has several."""
        return [
            port.name
            if not port.tag
            else f"{port.tag}:{port.name}"
            if self._counts[port.tag] == 1
            else f"{port.tag}:{port.index}:{port.name}"
            for port in self.ports
        ]

    def __getitem__(self, key: tuple[str, int]) -> Port:
        return self._ports[key]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)


def _invalid(text: str, why: str) -> StatusError:
    return status_error(Code.INVALID_ARGUMENT, f"'{text}': {why}")
