"""List the calculators that a graph can name, or describe some of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from calcgraph.runtime.contract import SAID
from calcgraph.runtime.describe import Description, describe
from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.registry import REGISTRY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="describe these with their ports and options"
    )
    parser.add_argument(
        "--calculators",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a Python file with calculators of your own; may be given several times",
    )


def run(args: argparse.Namespace) -> int:
    """0; or 1 when a calculator that was asked for cannot be loaded."""
    for path in args.calculators:
        REGISTRY.load_file(path)
    if not args.names:
        print("\n".join(_table([describe(entry) for entry in REGISTRY.entries()])))
        return 0
    found = [_describe(name) for name in args.names]
    print("\n\n".join("\n".join(_page(each)) for each in found))
    return int(any(each.fault for each in found))


def _describe(name: str) -> Description:
    entry = REGISTRY.find(name)
    if entry is None:
        raise status_error(Code.NOT_FOUND, REGISTRY.unknown(name))
    return describe(entry)


def _table(found: list[Description]) -> Iterator[str]:
    name = max((len(each.name) for each in found), default=0)
    origin = max((len(each.origin) for each in found), default=0)
    for each in found:
        what = f"CANNOT BE LOADED: {each.fault}" if each.fault else each.summary
        yield f"{each.name:{name}}  {each.origin:{origin}}  {what}".rstrip()


def _page(each: Description) -> Iterator[str]:
    yield f"{each.name} ({each.origin})"
    if each.fault:
        yield f"  cannot be loaded: {each.fault}"
        return
    if each.summary:
        yield f"  {each.summary}"
    for collection, ports in each.ports.items():
        if ports:
            yield f"  {SAID[collection]}"
            yield from (f"    {key or '(untagged)'}: {text}" for key, text in ports.items())
    if each.depends_on_node:
        yield "  and ports that depend on the node's tags or options"
    if each.is_subgraph:
        yield "  may stand for a graph of other nodes"
    if each.options_type:
        yield f"  options: [type.googleapis.com/{each.options_type}]"
        for option in each.options:
            default = f", default {option.default}" if option.default else ""
            yield f"    {option.name}: {option.type}{default}"
