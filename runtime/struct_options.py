"""Options given as google.protobuf.Struct, for calculators that declare no message of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import Message

from calcgraph.runtime.errors import NOWHERE, Code, InvalidStatus, Location
from calcgraph.runtime.naming import did_you_mean

STRUCT: Final = "google.protobuf.Struct"


class MissingOption(InvalidStatus, KeyError):
    """A Struct has no such key; a KeyError, so that `.get` and `in` work."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.INVALID_ARGUMENT, message)


@dataclass(frozen=True, eq=False)
class StructOptions(Mapping[str, Any]):
    """Options given as google.protobuf.Struct, read like a dict or by attribute; never changed.

    A Struct has one kind of number: whole ones are read as int.
    """

    values_: Mapping[str, Any] = field(default_factory=dict)
    location: Location = NOWHERE

    @classmethod
    def from_struct(cls, struct: Message, location: Location = NOWHERE) -> StructOptions:
        """`struct` is a google.protobuf.Struct of any descriptor pool."""
        return cls(
            {key: _plain(value) for key, value in struct.fields.items()},  # type: ignore[attr-defined]
            location,
        )

    def __getitem__(self, key: str) -> Any:
        try:
            return self.values_[key]
        except KeyError:
            known = ", ".join(map(repr, self.values_)) or "none"
            guess = did_you_mean(key, self.values_)
            raise MissingOption(
                f"{self.location}: there is no option {key!r}, found {known}{guess}"
            ) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except MissingOption as error:
            raise AttributeError(str(error)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def __repr__(self) -> str:
        return f"StructOptions({dict(self.values_)!r})"


def _plain(value: Any) -> Any:
    """The Python value of a google.protobuf.Value."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {key: _plain(item) for key, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None if kind in (None, "null_value") else getattr(value, kind)
