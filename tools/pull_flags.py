"""The flags of `calcgraph pull`, which are OVMS's."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.prepare import WEIGHT_FORMATS

_TASKS: Final = ("embeddings", "rerank")
_POOLINGS: Final = ("CLS", "LAST", "MEAN")
# They say how a model of --source_model is served; the default model's graph is known.
_OF_A_SOURCE: Final = (
    "model_name",
    "revision",
    "task",
    "pooling",
    "normalize",
    "truncate",
    "target_device",
    "num_streams",
)


class Declares(Protocol):
    """A parser, or a group of one."""

    def add_argument(self, *flags: str, **about: Any) -> argparse.Action: ...


def add_arguments(parser: Declares) -> None:
    add = parser.add_argument
    add(
        "--source_model",
        metavar="NAME_OR_FOLDER",
        help="a model on the Hugging Face hub, or a folder with one (default: all-MiniLM-L6-v2, from the package index)",
    )
    add("--revision", metavar="REV", help="a branch, tag or commit of the hub's model (main)")
    add(
        "--model_repository_path",
        type=Path,
        default=Path("models"),
        metavar="FOLDER",
        help="where models lie, one folder each (default: %(default)s)",
    )
    add("--model_name", metavar="NAME", help="its name to clients (default: that of the source)")
    add(
        "--task",
        action=_Task,
        nargs="+",
        metavar="TASK",
        help=f"{' or '.join(_TASKS)} (default: what the model is for)",
    )
    add("--pooling", choices=_POOLINGS, help="how one vector is made of many (the model's own)")
    add(
        "--normalize",
        type=_truth,
        nargs="?",
        const=True,
        metavar="true|false",
        help="vectors of unit length (as the model's files say; without any, true)",
    )
    add(
        "--truncate",
        type=_truth,
        nargs="?",
        const=True,
        default=False,
        metavar="true|false",
        help="cut texts that are too long, rather than refuse them (false)",
    )
    add("--target_device", metavar="DEVICE", help="an OpenVINO device (CPU)")
    add("--num_streams", type=int, metavar="N", help="OpenVINO's NUM_STREAMS")
    add(
        "--weight_format",
        "--weight-format",
        choices=WEIGHT_FORMATS,
        default=WEIGHT_FORMATS[0],
        help="how the weights are stored (%(default)s); `calcgraph export` has int8 and int4",
    )
    add("--overwrite_models", action="store_true", help="prepare a model anew that is there")


def refuse_without_source(args: argparse.Namespace) -> None:
    """Raises PreparationError for a flag that says how a model of --source_model is served."""
    for name in _OF_A_SOURCE:
        if getattr(args, name) not in (None, False):
            raise PreparationError(
                f"--{name} goes with --source_model: say which model is to be pulled"
            )


class _Task(argparse.Action):
    """`--task embeddings`; and `--task pooling CLS`, as OVMS's page of 2025.3 writes --pooling."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        match values:
            case ["pooling", pooling] if pooling in _POOLINGS:
                namespace.pooling = pooling
            case [task] if task in _TASKS:
                namespace.task = task
            case _:
                found = " ".join(map(str, values or ()))
                parser.error(f"--task {found}: expected {' or '.join(_TASKS)}")


def _truth(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false, found {text!r}")
