"""Pull the model that --source_model names: from the hub or a folder, whatever its files are, to a served folder."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from calcgraph.tools.export.naming import model_name
from calcgraph.tools.layout import (
    IR,
    IR_FOLDER,
    ONNX,
    ONNX_FOLDER,
    SERVED,
    TRAINED,
    Layout,
)
from calcgraph.tools.manifest import fault, read_manifest

Task = Literal["embeddings", "rerank"]


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; None is what the model's files say."""

    source: str
    name: str
    target: Path
    revision: str | None = None
    task: Task | None = None
    weight_format: str = "fp32"
    pooling: str | None = None
    normalize: bool | None = None
    truncate: bool = False
    device: str = "CPU"
    plugin_config: dict[str, str] = field(default_factory=dict)


def requested(args: argparse.Namespace) -> Request:
    """The request of a command line. Raises PreparationError for a name that is none."""
    name = model_name(args.source_model, args.model_name)
    return Request(
        source=args.source_model,
        name=name,
        target=args.model_repository_path / name,
        revision=args.revision,
        task=args.task,
        weight_format=args.weight_format,
        pooling=args.pooling,
        normalize=args.normalize,
        truncate=args.truncate,
        device=args.target_device or "CPU",
        plugin_config={"NUM_STREAMS": str(args.num_streams)} if args.num_streams else {},
    )


def pull_source(request: Request, *, overwrite: bool = False) -> bool:
    """Make the target a complete model folder; False when it is one. Raises PreparationError, OSError.

    The hub is not asked when the target is there: a server that starts this way starts without a network too.
    """
    if not overwrite and _is_there(request):
        return False
    # They import OpenVINO, which takes a second.
    from calcgraph.tools.adopt import adopt_model
    from calcgraph.tools.export.export import export_model
    from calcgraph.tools.source import obtain_source

    source = obtain_source(request.source, request.revision, _accepted)
    print(f"{source.origin}: {source.layout.name}", flush=True)
    export = _export(request, source.folder, source.origin)
    if source.layout in TRAINED:
        return export_model(export, overwrite=overwrite)
    return adopt_model(export, source.layout, overwrite=overwrite)


def _is_there(request: Request) -> bool:
    """Whether the target was made of this source and is whole; of which commit is only asked with --revision."""
    manifest = read_manifest(request.target)
    if manifest is None or fault(request.target, manifest) is not None:
        return False
    origin, _, commit = manifest.source.rpartition("@")
    if manifest.weight_format not in (request.weight_format, "published"):
        return False
    if Path(request.source).is_dir():
        return manifest.source == str(Path(request.source).resolve())
    return origin == request.source and commit.startswith(request.revision or "")


def _accepted(settings: Path) -> Sequence[Layout]:
    """Without torch, weights that only torch can read come last."""
    from calcgraph.tools.export.published_files import is_known_kind

    if is_known_kind(settings) or importlib.util.find_spec("torch"):
        return SERVED
    ready = (IR, ONNX_FOLDER, ONNX, IR_FOLDER)
    return (*ready, *(layout for layout in SERVED if layout not in ready))


def _export(request: Request, folder: Path, origin: str) -> Any:
    from calcgraph.tools.encoder_config import is_cross_encoder
    from calcgraph.tools.export.compress import Compression
    from calcgraph.tools.export.export import Export
    from calcgraph.tools.graph_template import Deployment

    return Export(
        task=request.task or ("rerank" if is_cross_encoder(folder) else "embeddings"),
        source=folder,
        published_as=origin,
        target=request.target,
        compression=Compression(request.weight_format),
        deployment=Deployment(
            device=request.device,
            plugin_config=request.plugin_config,
            truncate=request.truncate,
        ),
        pooling=request.pooling,
        normalize=request.normalize is not False,
    )
