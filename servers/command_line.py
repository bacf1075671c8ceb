"""The `calcgraph` command: its subcommands, OVMS's way of writing them, and hints for typing errors."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final, NoReturn, Protocol, cast

from calcgraph.runtime.naming import did_you_mean
from calcgraph.servers import product

GROUP: Final = "calcgraph.commands"
DEFAULT: Final = "serve"

# With it a server starts on a model that is prepared first.
_SOURCE: Final = "--source_model"
_PULL_AND_SERVE: Final = "pull_and_serve"

# What OVMS does on a flag where we have a command.
_OVMS_MODES: Final[Mapping[str, Sequence[str]]] = {
    "--pull": ("pull",),
    "--add_to_config": ("config", "add"),
    "--remove_from_config": ("config", "remove"),
    "--list_models": ("config", "list"),
}

USAGE: Final = 2
"""Exit status for a command line that makes no sense."""


class Command(Protocol):
    """A module of the entry point group; the first line of its docstring describes it."""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Declare flags, with underscores as OVMS does."""

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        """Do it and return the exit status. A StatusError ends the program with its message."""


class FlagParser(argparse.ArgumentParser):
    """Refuses an unknown flag by naming the nearest one."""

    def parse_args(self, args: Sequence[str]) -> argparse.Namespace:  # type: ignore[override]
        parsed, unknown = self.parse_known_args(args)
        if unknown:
            self.error(self._unknown(unknown[0]))
        return parsed

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\n")

    def _unknown(self, argument: str) -> str:
        flag = argument.partition("=")[0]
        hint = did_you_mean(flag, _flags(self)) or f"; {self.prog} --help lists what there is"
        kind = "flag" if flag.startswith("-") else "argument"
        return f"unknown {kind} {flag}{hint}"


def normalised(arguments: Sequence[str]) -> list[str]:
    """Flags with underscores: --rest-port is --rest_port. Values are left alone."""
    return [_underscored(argument) if _is_flag(argument) else argument for argument in arguments]


def parse(arguments: Sequence[str]) -> tuple[Command, argparse.Namespace] | None:
    """The command and its arguments; None when the question was what there is, and is answered.

    A command line that begins with a flag is OVMS's: it serves.
    """
    arguments = normalised(arguments)
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    match arguments:
        case [] | ["--help" | "-h" | "help", *_]:
            print(_overview(commands))
            return None
        case ["--version"]:
            print(f"{product.NAME} {product.VERSION}")
            return None
        case [name, *rest] if not name.startswith("-"):
            pass
        case rest:
            name, *rest = _as_command(rest)
    if name == DEFAULT and any(argument.partition("=")[0] == _SOURCE for argument in rest):
        name = _PULL_AND_SERVE
    command = _load(commands, name)
    parser = FlagParser(
        f"{product.NAME} {name}", description=inspect.getdoc(command), allow_abbrev=False
    )
    command.add_arguments(parser)
    return command, parser.parse_args(rest)


def _is_flag(argument: str) -> bool:
    # A value may be flags itself, for another program: "--ratio 0.8 --sym".
    return argument.startswith("--") and " " not in argument.partition("=")[0]


def _underscored(argument: str) -> str:
    flag, equals, value = argument.partition("=")
    return f"--{flag[2:].replace('-', '_')}{equals}{value}"


def _load(commands: Mapping[str, EntryPoint], name: str) -> Command:
    if name not in commands:
        hint = did_you_mean(name, commands) or f"; there are {', '.join(sorted(commands))}"
        _refuse(f"unknown command {name}{hint}")
    return cast(Command, commands[name].load())


def _as_command(arguments: Sequence[str]) -> Sequence[str]:
    """What OVMS's flags say, as our commands say it."""
    for argument in arguments:
        if command := _OVMS_MODES.get(argument):
            return [*command, *(other for other in arguments if other != argument)]
    return [DEFAULT, *arguments]


def _refuse(message: str) -> NoReturn:
    FlagParser(product.NAME).error(message)


def _overview(commands: Mapping[str, EntryPoint]) -> str:
    lines = [f"usage: {product.NAME} COMMAND [--FLAG ...]", ""]
    for name, entry in sorted(commands.items()):
        summary = (inspect.getdoc(entry.load()) or "").partition("\n")[0]
        lines.append(f"  {name:<10} {summary}")
    lines += [
        "",
        f"{product.NAME} COMMAND --help tells more. Without a command it serves, as OVMS does.",
    ]
    return "\n".join(lines)


def _flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every flag of a parser and of its subcommands."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _flags(subparser)
