"""Export a model for serving: convert it, compress its weights, write its graph and its entry in config.json."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from calcgraph.tools.disk import explain
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.graph_template import Deployment

_TASKS: Final[Mapping[str, Literal["embeddings", "rerank"]]] = {
    "embeddings_ov": "embeddings",
    "rerank_ov": "rerank",
}
_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    embeddings = tasks.add_parser("embeddings_ov", help="a model that turns texts into vectors")
    _add_common(embeddings)
    embeddings.add_argument(
        "--pooling",
        choices=("CLS", "LAST", "MEAN"),
        help="how one vector is made of many (default: what the model's files say)",
    )
    embeddings.add_argument(
        "--skip_normalize", action="store_true", help="leave vectors the length they have"
    )
    embeddings.add_argument(
        "--truncate", action="store_true", help="cut texts that are too long, rather than refuse"
    )
    rerank = tasks.add_parser("rerank_ov", help="a model that scores documents for a query")
    _add_common(rerank)
    rerank.add_argument(
        "--max_doc_length",
        type=int,
        metavar="TOKENS",
        help="of query and document together (default: what the model reads)",
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source_model",
        required=True,
        metavar="NAME_OR_FOLDER",
        help="a name on the Hugging Face hub, or a folder as transformers or sentence-transformers store it",
    )
    parser.add_argument(
        "--revision", help="a branch, tag or commit of the model on the hub (default: main)"
    )
    parser.add_argument(
        "--model_name", metavar="NAME", help="its name to clients (default: that of the source)"
    )
    parser.add_argument(
        "--model_repository_path",
        type=Path,
        default=Path("models"),
        metavar="FOLDER",
        help="where models lie, one folder each (default: %(default)s)",
    )
    parser.add_argument(
        "--config_file_path",
        type=Path,
        default=Path("config.json"),
        metavar="FILE",
        help="the list of served models, to which this one is added (default: %(default)s)",
    )
    parser.add_argument(
        "--weight_format",
        "--weight-format",
        choices=("fp32", "fp16", "int8", "int4"),
        default="int8",
        help="how the weights are stored (default: %(default)s)",
    )
    parser.add_argument(
        "--extra_quantization_params",
        default="",
        metavar='"..."',
        help="--sym, --group-size N, --ratio R, --all-layers, as of optimum-cli",
    )
    parser.add_argument("--target_device", default="CPU", help="(default: %(default)s)")
    parser.add_argument("--num_streams", metavar="N", help="OpenVINO's NUM_STREAMS")
    parser.add_argument("--ov_cache_dir", metavar="FOLDER", help="OpenVINO's CACHE_DIR")
    parser.add_argument(
        "--single_node", action="store_true", help="write OpenVINO Model Server's form of the graph"
    )
    parser.add_argument(
        "--overwrite_models", action="store_true", help="replace a model that is there already"
    )


def run(args: argparse.Namespace) -> int:
    """Export a model; 0, or 1 after one sentence on standard error."""
    try:
        _export(args)
    except PreparationError as error:
        return _failed(str(error), 1)
    except OSError as error:
        return _failed(explain(error, args.model_repository_path), 1)
    except KeyboardInterrupt:
        return _failed("interrupted; the model is as it was", _INTERRUPTED)
    return 0


def _export(args: argparse.Namespace) -> None:
    # OpenVINO takes a second to import, and --help should not wait for it.
    from calcgraph.tools.config_list import add_model
    from calcgraph.tools.export.compress import read_compression
    from calcgraph.tools.export.export import Export, export_model
    from calcgraph.tools.export.naming import model_name
    from calcgraph.tools.layout import TRAINED
    from calcgraph.tools.source import obtain_source

    started = time.monotonic()
    compression = read_compression(args.weight_format, args.extra_quantization_params)
    name = model_name(args.source_model, args.model_name)
    target = args.model_repository_path / name
    source = obtain_source(args.source_model, args.revision, lambda _: TRAINED)
    export = Export(
        task=_TASKS[args.task],
        source=source.folder,
        published_as=source.origin,
        target=target,
        compression=compression,
        deployment=_deployment(args),
        pooling=getattr(args, "pooling", None),
        normalize=not getattr(args, "skip_normalize", False),
    )
    if compression.format == "int4":
        print("note: int4 changes vectors visibly; see the cosine below, and docs/export.md")
    if export_model(export, overwrite=args.overwrite_models):
        print(f"exported {target} in {time.monotonic() - started:.1f} s")
    else:
        print(f"already exported: {target}")
    add_model(args.config_file_path, name, target)
    print(f"{args.config_file_path} lists {name}")


def _deployment(args: argparse.Namespace) -> Deployment:
    properties: dict[str, Any] = {"NUM_STREAMS": args.num_streams, "CACHE_DIR": args.ov_cache_dir}
    return Deployment(
        device=args.target_device,
        plugin_config={key: value for key, value in properties.items() if value},
        truncate=getattr(args, "truncate", False),
        max_length=getattr(args, "max_doc_length", None),
        single_node=args.single_node,
    )


def _failed(sentence: str, status: int) -> int:
    print(f"calcgraph export: {sentence}", file=sys.stderr)
    return status
