"""From a calculator's name in graph.pbtxt to its class.

A name comes from an installed package (entry points of the group `calcgraph.calculators`), from
`register` in code that runs, or from a file given on the command line. An entry point is imported when
a graph first names it, and only that one.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, overload

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.naming import did_you_mean

GROUP: Final = "calcgraph.calculators"

Registered = type[Calculator] | GraphConfig
"""A calculator, or a graph that stands for a node."""

C = TypeVar("C", bound=type[Calculator])


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered name."""

    name: str
    origin: str
    """Where it comes from: "calcgraph 0.1.0", "my_nodes.py", "registered in package.module"."""
    _load: Callable[[], Any]
    target: str = ""
    """`module:name` of the thing itself."""

    def load(self) -> Registered:
        """The class or graph; imported at the first call. Raises FAILED_PRECONDITION when it cannot be."""
        try:
            found = self._load()
        except StatusError:
            raise
        except Exception as error:
            raise status_error(
                Code.FAILED_PRECONDITION,
                f"calculator '{self.name}' ({self.origin}) cannot be loaded: "
                f"{type(error).__name__}: {error}",
            ) from error
        if isinstance(found, GraphConfig) or (
            isinstance(found, type) and issubclass(found, Calculator)
        ):
            return found
        raise status_error(
            Code.FAILED_PRECONDITION,
            f"calculator '{self.name}' ({self.origin}) is {found!r}, expected a subclass of Calculator",
        )


class Registry:
    """Names of calculators and subgraphs. A local registry asks its parent for what it lacks."""

    def __init__(self, parent: Registry | None = None) -> None:
        self._entries: dict[str, Entry] = {}
        self._parent = parent

    def add(self, entry: Entry) -> None:
        """Raises ALREADY_EXISTS for a name that is taken."""
        name = normalized(entry.name)
        if earlier := self._rival(name, entry):
            raise status_error(
                Code.ALREADY_EXISTS,
                f"'{name}' is registered twice: by {earlier.origin} and by {entry.origin}",
            )
        self._entries[name] = entry

    def _rival(self, name: str, entry: Entry) -> Entry | None:
        """Who has the name already."""
        return self._entries.get(name)

    def register(self, name: str, thing: Registered, origin: str = "") -> None:
        """Make a class or a graph known by a name."""
        self.add(Entry(name, origin or _where(thing), lambda: thing, _target(thing)))

    def load_file(self, path: Path) -> list[str]:
        """Run a Python file and register its calculators by class name; the names, sorted.

        Raises NOT_FOUND without the file, FAILED_PRECONDITION when it fails or holds none.
        """
        if not path.is_file():
            raise status_error(Code.NOT_FOUND, f"there is no file of calculators {path}")
        # What the file itself registers goes to the global registry, as in an installed package.
        before = set(REGISTRY._entries)
        module = _run(path)
        found = set(REGISTRY._entries) - before
        already = {id(REGISTRY._entries[name].load()) for name in found}
        for value in vars(module).values():
            if _is_calculator_of(module.__name__, value) and id(value) not in already:
                self.register(value.__name__, value, str(path))
                found.add(value.__name__)
        if not found:
            raise status_error(Code.FAILED_PRECONDITION, f"{path} holds no subclass of Calculator")
        return sorted(found)

    def find(self, name: str, package: str = "") -> Entry | None:
        """Look a name up as MediaPipe does: in the package a.b, then in a, then without any."""
        for candidate in candidates(name, package):
            found = self._own(candidate)
            if found is not None:
                return found
        return self._parent.find(name, package) if self._parent else None

    def _own(self, name: str) -> Entry | None:
        return self._entries.get(name)

    def names(self) -> list[str]:
        inherited = self._parent.names() if self._parent else []
        return sorted({*self._entries, *inherited})

    def entries(self) -> Iterator[Entry]:
        """Every name that can be used, once, sorted."""
        for name in self.names():
            entry = self.find("." + name)
            assert entry is not None
            yield entry

    def unknown(self, name: str) -> str:
        """The error text for a name that is not registered."""
        return f'Unable to find Calculator "{name}"{did_you_mean(name, self.names())}'


class InstalledRegistry(Registry):
    """Names from code that ran, and from the entry points of installed distributions."""

    def __init__(self) -> None:
        super().__init__()
        self._scanned: dict[str, list[Entry]] | None = None

    @property
    def _installed(self) -> dict[str, list[Entry]]:
        if self._scanned is None:
            self._scanned = {}
            for point in importlib.metadata.entry_points(group=GROUP):
                dist = point.dist
                origin = f"{dist.name} {dist.version}" if dist else point.value
                entry = Entry(point.name, origin, point.load, point.value)
                self._scanned.setdefault(normalized(point.name), []).append(entry)
        return self._scanned

    def _rival(self, name: str, entry: Entry) -> Entry | None:
        # A class may be installed under its name and register itself when it is imported.
        others = (each for each in self._installed.get(name, ()) if each.target != entry.target)
        return self._entries.get(name) or next(others, None)

    def _own(self, name: str) -> Entry | None:
        if name in self._entries:
            return self._entries[name]
        found = self._installed.get(name, [])
        if len({entry.origin for entry in found}) > 1:
            origins = " and ".join(sorted({entry.origin for entry in found}))
            raise status_error(
                Code.ALREADY_EXISTS, f"calculator '{name}' is installed by both {origins}"
            )
        return found[0] if found else None

    def names(self) -> list[str]:
        return sorted({*self._entries, *self._installed})


REGISTRY: Final = InstalledRegistry()
"""The registry used unless a graph is given another."""


@overload
def register(thing: C) -> C: ...
@overload
def register(thing: str) -> Callable[[C], C]: ...
def register(thing: C | str) -> C | Callable[[C], C]:
    """Make a calculator known by its class name, or by another: `@register` or `@register("Name")`."""
    if isinstance(thing, str):
        return lambda calculator: _registered(thing, calculator)
    return _registered(thing.__name__, thing)


def _registered(name: str, calculator: C) -> C:
    REGISTRY.register(name, calculator)
    return calculator


def register_graph(config: GraphConfig, name: str = "") -> GraphConfig:
    """Make a graph usable as a node, by its `type:` unless a name is given."""
    REGISTRY.register(name or config.proto.type, config)
    return config


def normalized(name: str) -> str:
    """C++'s `a::B` is `a.B`; names of the namespace `mediapipe` need no prefix."""
    return name.replace("::", ".").lstrip(".").removeprefix("mediapipe.")


def candidates(name: str, package: str) -> list[str]:
    """The full names to try, nearest package first; a leading dot means the name is full already."""
    dotted = name.replace("::", ".")
    if dotted.startswith("."):
        return [normalized(dotted)]
    parts = package.replace("::", ".").split(".") if package else []
    prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return [normalized(f"{prefix}.{dotted}") for prefix in prefixes] + [normalized(dotted)]


def _where(thing: Registered) -> str:
    return thing.file if isinstance(thing, GraphConfig) else f"registered in {thing.__module__}"


def _target(thing: Registered) -> str:
    if isinstance(thing, GraphConfig):
        return thing.file
    return f"{thing.__module__}:{thing.__qualname__}"


def _is_calculator_of(module: str, value: Any) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, Calculator)
        and value is not Calculator
        and value.__module__ == module
        and not value.__name__.startswith("_")
        and not inspect.isabstract(value)
    )


def _run(path: Path) -> Any:
    # A name of its own, so that a file called like an installed module does not hide it.
    name = f"calcgraph_file_{path.stem}_{abs(hash(str(path.resolve())))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise status_error(Code.FAILED_PRECONDITION, f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception):
            raise
        raise status_error(
            Code.FAILED_PRECONDITION, f"{path} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    return module
