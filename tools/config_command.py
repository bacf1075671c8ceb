"""List, add and remove the models that a config.json serves.

A running server follows the file. Without a command, OVMS's flags do the same: --add_to_config,
--remove_from_config and --list_models. The repository may be named by OVMS_MODEL_REPOSITORY_PATH.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from calcgraph.servers.model_config import GRAPH_FILE, ConfigError
from calcgraph.servers.plain_models import has_plain_model
from calcgraph.tools.config_list import add_model, remove_model
from calcgraph.tools.errors import PreparationError

_REPOSITORY: Final = "OVMS_MODEL_REPOSITORY_PATH"
_DEEPEST: Final = 3
"""Levels of folders in a name like organisation/model."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    add = deeds.add_parser("add", help="serve a model")
    remove = deeds.add_parser("remove", help="serve a model no longer; its files stay")
    shown = deeds.add_parser("list", help="the models there are in a repository")
    for deed in (add, remove):
        deed.add_argument("--config_path", type=Path, metavar="FILE", help="the config.json")
        deed.add_argument("--model_name", required=True, metavar="NAME")
    add.add_argument(
        "--model_path",
        type=Path,
        metavar="DIR",
        help="the model's folder, from that of config.json on (named as the model)",
    )
    for deed in (add, remove, shown):
        deed.add_argument(
            "--model_repository_path",
            type=Path,
            default=os.environ.get(_REPOSITORY),
            metavar="DIR",
            help="the folder of all models; config.json lies there unless said otherwise",
        )


def run(args: argparse.Namespace) -> int:
    try:
        if args.deed == "list":
            _list(args)
        elif args.deed == "add":
            _add(args)
        else:
            _remove(args)
    except PreparationError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename} cannot be written: {error.strerror}; nothing was changed")
    return 0


def _add(args: argparse.Namespace) -> None:
    file, name = _config_file(args), args.model_name
    if ".." in name.split("/") or name.startswith("/"):
        raise ConfigError(f"--model_name: expected a name, found the path {name}")
    folder = (args.model_repository_path or file.parent) / name
    if args.model_path is not None:
        folder = file.parent / args.model_path
    if not _is_model(folder):
        raise ConfigError(
            f"no model in {folder}: expected {GRAPH_FILE}, or folders named 1, 2, ... with a model in each"
        )
    add_model(file, name, folder)
    print(f"{file} serves {name} from {folder}")


def _remove(args: argparse.Namespace) -> None:
    file = _config_file(args)
    if not file.exists():
        raise ConfigError(f"{file}: there is no such file")
    if not remove_model(file, args.model_name):
        raise ConfigError(f"{file} does not name {args.model_name}")
    print(f"{file} no longer serves {args.model_name}")


def _list(args: argparse.Namespace) -> None:
    repository = args.model_repository_path
    if repository is None:
        raise ConfigError("expected --model_repository_path DIR")
    if not repository.is_dir():
        raise ConfigError(f"--model_repository_path: there is no folder {repository}")
    print(f"Available servable models from repository: {repository}")
    for name in sorted(_models(repository)):
        print(name)


def _models(repository: Path) -> Iterator[str]:
    """The folders with a model, by their names below the repository."""
    for place, folders, _ in os.walk(repository):
        folder = Path(place)
        depth = len(folder.relative_to(repository).parts)
        folders[:] = (
            [name for name in folders if not name.startswith(".")] if depth < _DEEPEST else []
        )
        if depth and _is_model(folder):
            folders.clear()
            yield folder.relative_to(repository).as_posix()


def _is_model(folder: Path) -> bool:
    return (folder / GRAPH_FILE).is_file() or has_plain_model(folder)


def _config_file(args: argparse.Namespace) -> Path:
    if args.config_path is not None:
        return Path(args.config_path)
    if args.model_repository_path is not None:
        return Path(args.model_repository_path) / "config.json"
    raise ConfigError("expected --config_path FILE, or --model_repository_path DIR")


def _failed(sentence: str) -> int:
    print(f"calcgraph config: {sentence}", file=sys.stderr)
    return 1
