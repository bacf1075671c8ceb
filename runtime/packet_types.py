"""What may travel through a port: a Python type, one of several, anything, or nothing."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from calcgraph.runtime.errors import Code, status_error


@dataclass(frozen=True, slots=True)
class PacketType:
    """A payload fits if `isinstance(payload, kinds)`; `kinds` None is anything, () is nothing."""

    kinds: tuple[type, ...] | None

    @property
    def is_any(self) -> bool:
        return self.kinds is None

    @property
    def is_none(self) -> bool:
        return self.kinds == ()

    def accepts(self, value: object) -> bool:
        return self.kinds is None or isinstance(value, self.kinds)

    def may_feed(self, reader: PacketType) -> bool:
        """Whether a stream of this type can carry what `reader` takes.

        Subclasses count, unlike in C++; of a union one common member is enough, as in MediaPipe.
        """
        if self.kinds is None or reader.kinds is None:
            return True
        if not self.kinds or not reader.kinds:
            return self.kinds == reader.kinds
        return any(issubclass(mine, theirs) for mine in self.kinds for theirs in reader.kinds)

    def meet(self, other: PacketType) -> PacketType:
        """What fits both; NONE when nothing does."""
        if self.kinds is None or other.kinds is None:
            return self if other.kinds is None else other
        mine = [kind for kind in self.kinds if issubclass(kind, other.kinds)]
        theirs = [kind for kind in other.kinds if issubclass(kind, self.kinds)]
        return PacketType(tuple(dict.fromkeys([*mine, *theirs])))

    def __str__(self) -> str:
        if self.kinds is None:
            return "[Any Type]"
        return " | ".join(_name(kind) for kind in self.kinds) or "[No Type]"


ANY: Final = PacketType(None)
NONE: Final = PacketType(())


def packet_type(declared: Any) -> PacketType:
    """From what an author writes: a class, `A | B`, `list[str]`, `Any` or `object`, or None (nothing).

    Raises INVALID_ARGUMENT for what isinstance cannot check.
    """
    if declared is None:
        return NONE
    if declared is Any or declared is object:
        return ANY
    if isinstance(declared, PacketType):
        return declared
    if isinstance(declared, type) and not isinstance(declared, types.GenericAlias):
        return PacketType((declared,))
    if isinstance(declared, types.UnionType) or typing.get_origin(declared) is typing.Union:
        return _union(packet_type(_or_none(part)) for part in typing.get_args(declared))
    origin = typing.get_origin(declared)
    if isinstance(origin, type):
        return PacketType((origin,))
    supertype = getattr(declared, "__supertype__", None)  # typing.NewType
    if supertype is not None:
        return packet_type(supertype)
    raise status_error(
        Code.INVALID_ARGUMENT,
        f"found {declared!r}, expected a class, a union, Any, optional(...) or same_as(...)",
    )


def _or_none(part: Any) -> Any:
    # In `A | None` the None is a payload like any other, not "no packets".
    return types.NoneType if part is None else part


def _union(parts: Iterable[PacketType]) -> PacketType:
    kinds: dict[type, None] = {}
    for part in parts:
        if part.kinds is None:
            return ANY
        kinds.update(dict.fromkeys(part.kinds))
    return PacketType(tuple(kinds))


def _name(kind: type) -> str:
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
