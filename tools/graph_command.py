"""Check a graph file, or show it: calcgraph graph check|show FILE."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from calcgraph.runtime.canonical import config_text
from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import Code, GraphError, status_error
from calcgraph.runtime.registry import REGISTRY
from calcgraph.runtime.show import Diagram, as_mermaid, as_text, diagram
from calcgraph.runtime.show_svg import as_svg
from calcgraph.runtime.validation import plan_graph

FORMATS: Final[Mapping[str, Callable[[Diagram], str]]] = {
    "text": as_text,
    "mermaid": as_mermaid,
    "svg": as_svg,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="check|show")
    check = actions.add_parser(
        "check", help="report every mistake; print the canonical form of a graph that has none"
    )
    show = actions.add_parser("show", help="draw the graph")
    for each in (check, show):
        each.add_argument("file", type=Path, metavar="FILE", help="graph.pbtxt, or .binarypb")
        each.add_argument(
            "--subgraph",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a graph that nodes may name by its type; may be given several times",
        )
        each.add_argument(
            "--calculators",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a Python file with calculators of your own; may be given several times",
        )
    check.add_argument(
        "--quiet", action="store_true", help="print nothing for a graph without mistakes"
    )
    show.add_argument(
        "--format", choices=sorted(FORMATS), default="text", help="default: %(default)s"
    )
    show.add_argument("--fold", action="store_true", help="draw each subgraph as one box")
    show.add_argument(
        "--fold_only",
        action="append",
        default=[],
        metavar="NAME",
        help="draw only the subgraphs of this name or type as one box; may be given several times",
    )
    show.add_argument(
        "--output", type=Path, metavar="FILE", help="write here instead of to the terminal"
    )


def run(args: argparse.Namespace) -> int:
    """0; or 1 for a graph with mistakes, each on a line of standard error."""
    for path in args.calculators:
        REGISTRY.load_file(path)
    try:
        config = _read(args.file)
        subgraphs = [_read(path) for path in args.subgraph]
        return (
            _check(config, subgraphs, args)
            if args.action == "check"
            else _show(config, subgraphs, args)
        )
    except GraphError as error:
        print(error, file=sys.stderr)
        count = len(error.problems)
        print(f"{args.file}: {count} mistake{'s' * (count != 1)}", file=sys.stderr)
        return 1


def _check(config: GraphConfig, subgraphs: list[GraphConfig], args: argparse.Namespace) -> int:
    plan = plan_graph(config, base_path=args.file.parent, subgraphs=subgraphs)
    for warning in plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if not args.quiet:
        print(config_text(plan.config), end="")
    return 0


def _show(config: GraphConfig, subgraphs: list[GraphConfig], args: argparse.Namespace) -> int:
    drawing = diagram(config, subgraphs=subgraphs, fold=args.fold or args.fold_only)
    drawn = FORMATS[args.format](drawing)
    if args.output is None:
        print(drawn, end="")
    else:
        args.output.write_text(drawn, "utf-8")
    return 0


def _read(path: Path) -> GraphConfig:
    try:
        return GraphConfig.from_file(path)
    except OSError as error:
        code = Code.NOT_FOUND if isinstance(error, FileNotFoundError) else Code.INVALID_ARGUMENT
        raise status_error(code, f"{path} cannot be read: {error.strerror}") from error
