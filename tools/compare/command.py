"""Compare a server's vectors with those of Hugging Face, with stored ones, or by an accuracy task.

The flags are those of OVMS's compare_results.py. With --input or --texts and no --goldens the reference is
sentence-transformers, or transformers' AutoModel when --pooling says how; both must be installed beside
calcgraph. --task measures accuracy by MTEB's method on files of yours. Exits with 1 when a comparison fails.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.tools.compare import references
from calcgraph.tools.compare.difference import SCORE_LIMIT, differences, report
from calcgraph.tools.compare.endpoint import Endpoint, Vectors
from calcgraph.tools.compare.tasks import TASKS
from calcgraph.tools.published_model import DEFAULT_MODEL


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--service_url", default="http://127.0.0.1:8000/v3", metavar="URL", help="(%(default)s)")
    add("--model", "--model_name", default=DEFAULT_MODEL.name, metavar="NAME", help="(%(default)s)")
    add("--input", action="append", default=[], metavar="TEXT", help="may be given several times")
    add("--texts", type=Path, metavar="FILE", help="texts to compare, one a line")
    add(
        "--hf_model_name",
        metavar="NAME|DIR",
        help="the reference model, by name or folder; the default is the name of --model",
    )
    add("--pooling", choices=references.POOLINGS, help="pool transformers' AutoModel this way")
    add("--goldens", type=Path, metavar="FILE", help="compare with these vectors")
    add("--save_goldens", type=Path, metavar="FILE", help="store the server's vectors and end")
    add(
        "--limit",
        type=float,
        default=SCORE_LIMIT,
        metavar="SCORE",
        help="largest difference score that passes (%(default)s)",
    )
    add(
        "--task",
        nargs=2,
        metavar=("NAME", "PATH"),
        help=f"measure accuracy: {' or '.join(TASKS)}, and where its data is",
    )
    add("--expected", type=float, metavar="FIGURE", help="fail unless the task comes out as this")
    add("--tolerance", type=float, default=0.01, metavar="D", help="give or take (%(default)s)")


def run(args: argparse.Namespace) -> int:
    endpoint = Endpoint(args.service_url, args.model)
    if args.task:
        return _measure(endpoint, args)
    texts, reference = _reference(args)
    served = _timed(f"{args.model} at {args.service_url}", lambda: endpoint.embed(texts))
    if args.save_goldens:
        references.save_goldens(args.save_goldens, texts, served)
        print(f"stored {len(texts)} vectors of {served.shape[1]} numbers in {args.save_goldens}")
        return 0
    assert reference is not None
    found = differences(served, reference)
    for line in report(texts, found, args.limit):
        print(line)
    return 0 if all(one.passes(args.limit) for one in found) else 1


def _measure(endpoint: Endpoint, args: argparse.Namespace) -> int:
    name, path = args.task
    if name not in TASKS:
        raise _mistake(f"unknown task {name!r}; there are {', '.join(TASKS)}")
    unit, measure = TASKS[name]
    try:
        figure = measure(Path(path), endpoint.embed)
    except ImportError as error:
        raise _mistake(f"the task needs {error.name}: pip install 'calcgraph[bench]'") from None
    print(f"{name} {unit} {figure:.4f} ({args.model})")
    if args.expected is None:
        return 0
    passed = abs(figure - args.expected) <= args.tolerance
    print(f"[{'PASS' if passed else 'FAIL'}] expected {args.expected} +- {args.tolerance}")
    return 0 if passed else 1


def _reference(args: argparse.Namespace) -> tuple[Sequence[str], Vectors | None]:
    """The texts, and what their vectors should be; None when they are to be stored only."""
    texts = [*args.input, *_lines(args.texts)]
    if args.goldens and texts:
        raise _mistake("--goldens brings its own texts: leave out --input and --texts")
    if args.goldens:
        return references.load_goldens(args.goldens)
    if not texts:
        raise _mistake("nothing to compare: give --input, --texts, --goldens or --task")
    if args.save_goldens:
        return texts, None
    name = args.hf_model_name or args.model
    if args.pooling is None:
        kind = "sentence-transformers"
        return texts, _timed(kind, lambda: references.sentence_transformers(name, texts))
    return texts, _timed(
        f"AutoModel, {args.pooling}", lambda: references.hugging_face(name, texts, args.pooling)
    )


def _lines(file: Path | None) -> Sequence[str]:
    if file is None:
        return ()
    try:
        return [line for line in file.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise _mistake(f"--texts {file} cannot be read: {error}") from None


def _timed(what: str, embed: Callable[[], Vectors]) -> Vectors:
    start = time.perf_counter()
    vectors = embed()
    print(f"{what}: {len(vectors)} texts in {(time.perf_counter() - start) * 1000:.0f} ms")
    return vectors


def _mistake(message: str) -> StatusError:
    return status_error(Code.INVALID_ARGUMENT, message)
