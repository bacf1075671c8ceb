"""The flags that say how models come into memory, leave it, and are watched."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from calcgraph.servers.model_config import ConfigError, Residence, read_config, single_model
from calcgraph.servers.repository.source import ConfigFile, SingleModel, Source

_MIB: Final = 1024 * 1024
_PLAIN_MODEL_FLAGS: Final = {
    "target_device": "of a single model without a graph: CPU, GPU, AUTO ... (CPU)",
    "plugin_config": "of a single model without a graph: OpenVINO's properties, a JSON object",
    "nireq": "of a single model without a graph: inferences at a time (what the device does best)",
    "batch_size": 'of a single model without a graph: a number, "auto" or a range like 1:8',
    "shape": 'of a single model without a graph: "(1,3,-1,-1)", "auto", or these by input as JSON',
    "layout": "of a single model without a graph: NHWC:NCHW, or these by input as JSON",
    "model_version_policy": "of a single model without a graph: OVMS's JSON (the newest version)",
}


@dataclass(frozen=True, slots=True)
class Following:
    """How a repository follows its files."""

    source: Source
    poll_s: float
    """Between two looks at the files; 0 looks when somebody asks for it."""
    budget_bytes: int | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config_path", type=Path, metavar="FILE", help="OVMS's config.json")
    parser.add_argument("--model_name", metavar="NAME", help="the name of a single model")
    parser.add_argument(
        "--model_path", type=Path, metavar="DIR", help="the folder of a single model"
    )
    for name, help in _PLAIN_MODEL_FLAGS.items():
        parser.add_argument(f"--{name}", metavar="VALUE", help=help)
    parser.add_argument(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1.0,
        metavar="S",
        help="look so often whether files of models or of the configuration changed; 0 is never (1)",
    )
    parser.add_argument(
        "--lazy_load", action="store_true", help="load each model when it is asked for"
    )
    parser.add_argument(
        "--keep_alive",
        type=float,
        default=0.0,
        metavar="S",
        help="free a model that was not asked for so long; the next request loads it again (never)",
    )
    parser.add_argument(
        "--memory_budget_mb",
        type=int,
        metavar="MB",
        help="free the models asked for longest ago when all together would take more (no budget)",
    )


def following(args: argparse.Namespace) -> Following:
    """Raises ConfigError when the configuration cannot be read, or the flags make no sense."""
    for flag in ("file_system_poll_wait_seconds", "keep_alive", "memory_budget_mb"):
        if (getattr(args, flag) or 0) < 0:
            raise ConfigError(f"--{flag} is 0 or more, found {getattr(args, flag)}")
    budget = args.memory_budget_mb
    return Following(
        _source(args),
        args.file_system_poll_wait_seconds,
        budget * _MIB if budget else None,
    )


def _source(args: argparse.Namespace) -> Source:
    residence = Residence(args.lazy_load, args.keep_alive)
    single = args.model_name is not None or args.model_path is not None
    settings = {key: vars(args)[key] for key in _PLAIN_MODEL_FLAGS if vars(args)[key] is not None}
    if args.config_path is not None and not single:
        for key in settings:
            raise ConfigError(f"--{key} is for --model_name; with --config_path that file says it")
        return ConfigFile(args.config_path, partial(read_config, residence=residence))
    if args.config_path is None and args.model_name and args.model_path:
        entry = single_model(args.model_name, args.model_path, settings)
        return SingleModel(replace(entry, lazy=residence.lazy, keep_alive_s=residence.keep_alive_s))
    raise ConfigError(
        "expected --config_path FILE, or --model_name NAME and --model_path DIR (and not both forms)"
    )
