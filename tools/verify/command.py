"""Is a model served as it was trained? A table of checks, each of which names one fault and what to do.

MODEL is a folder with a graph.pbtxt, or a model's name in --config_path; a server is started on it, and stopped. With
--service_url it is the name of a model at a server that runs, of ours or another. What is right comes from the
canary that `pull` and `export` wrote beside the model, or from --reference: the model as it was published, by
sentence-transformers where that is installed (--python), without torch for BERT, RoBERTa and XLM-R.
Exits with 1 when a check fails.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.servers.model_config import GRAPH_FILE, read_config
from calcgraph.tools.compare.endpoint import Endpoint
from calcgraph.tools.errors import PreparationError

if TYPE_CHECKING:
    from calcgraph.tools.verify.checks import Verdict
    from calcgraph.tools.verify.reference import Reference

_TASKS = ("stsb", "banking77")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="a model folder, or a name")
    add(
        "--config_path",
        type=Path,
        default=Path("models/config.json"),
        metavar="FILE",
        help="(%(default)s)",
    )
    add("--service_url", metavar="URL", help="ask this server, e.g. http://127.0.0.1:8000/v3")
    add(
        "--reference",
        metavar="NAME_OR_FOLDER",
        help="the model as it was published, on the hub or in a folder",
    )
    add(
        "--python",
        type=Path,
        metavar="FILE",
        help="the Python of an environment that has sentence-transformers (this one)",
    )
    add(
        "--lowest_cosine",
        type=float,
        metavar="C",
        help="of a right vector with the reference (f32 0.999, bf16 0.97; weights in int8 0.9, int4 0.6)",
    )
    add(
        "--task",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "PATH"),
        help=f"accuracy too: {' or '.join(_TASKS)}, and where its data is; beside fp32 with --reference",
    )
    add(
        "--largest_loss",
        type=float,
        default=0.01,
        metavar="D",
        help="how much less than fp32 a task may come out (%(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    try:
        verdicts = list(_verdicts(args))
    except PreparationError as error:
        raise status_error(Code.FAILED_PRECONDITION, str(error)) from error
    from calcgraph.tools.verify.report import report

    for line in report(verdicts):
        print(line)
    return 1 if any(verdict.passed is False for verdict in verdicts) else 0


@dataclass(frozen=True, slots=True)
class _Model:
    """Where a model lies; a server that runs elsewhere does not tell."""

    name: str
    folder: Path | None
    graph: Path | None


def _verdicts(args: argparse.Namespace) -> Iterator[Verdict]:
    from calcgraph.tools.verify.checks import Verdict, verify
    from calcgraph.tools.verify.files import not_finite
    from calcgraph.tools.verify.serving import NotServed
    from calcgraph.tools.verify.subject import Subject

    model = _model(args)
    reference = _reference(args, model)
    try:
        with _serving(args, model) as endpoint:
            yield Verdict("load", True, f"compared with {reference.origin}")
            yield from verify(Subject(endpoint, reference, model.folder, args.lowest_cosine))
            yield from _accuracy(args, endpoint)
    except NotServed as error:
        yield Verdict("load", False, str(error), "mend what the server says")
        damaged = model.folder and not_finite(model.folder)
        if damaged:
            yield Verdict("NaN", False, f"{damaged} is not finite", "export the model again")


def _model(args: argparse.Namespace) -> _Model:
    if args.service_url:
        return _Model(args.model, None, None)
    folder = Path(args.model)
    if folder.is_dir():
        return _Model(folder.resolve().name, folder, folder / GRAPH_FILE)
    for entry in read_config(args.config_path):
        if entry.name == args.model:
            return _Model(entry.name, entry.base_path, entry.graph_file)
    raise _mistake(f"{args.model} is no folder, and {args.config_path} lists no model of that name")


@contextmanager
def _serving(args: argparse.Namespace, model: _Model) -> Iterator[Endpoint]:
    from calcgraph.tools.verify.serving import served

    if model.folder is None or model.graph is None:
        yield Endpoint(args.service_url, model.name)
        return
    with served(model.folder, model.graph, model.name) as address:
        yield Endpoint(f"{address}/v3", model.name)


def _reference(args: argparse.Namespace, model: _Model) -> Reference:
    from calcgraph.tools.canary import TEXTS
    from calcgraph.tools.layout import TRAINED
    from calcgraph.tools.source import obtain_source
    from calcgraph.tools.verify import reference

    if args.reference is None:
        stored = None if model.folder is None else reference.stored_reference(model.folder)
        if stored is None:
            raise _mistake(
                f"{model.name} has no canary to be compared with: give --reference, the model as it was published"
            )
        return stored
    folder = obtain_source(args.reference, accepted=lambda _: TRAINED).folder
    if args.python or importlib.util.find_spec("sentence_transformers"):
        python = args.python or Path(sys.executable)
        return reference.sentence_transformers_reference(str(folder), python, TEXTS)
    return reference.published_reference(folder)


def _accuracy(args: argparse.Namespace, endpoint: Endpoint) -> Iterator[Verdict]:
    """The tasks of `calcgraph compare`, by the served model and by the reference in float32."""
    for name, path in args.task:
        from calcgraph.tools.verify.accuracy import loss

        yield loss(name, Path(path), endpoint, args.reference, args.largest_loss)


def _mistake(message: str) -> StatusError:
    return status_error(Code.INVALID_ARGUMENT, message)
