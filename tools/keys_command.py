"""Make, list and remove the keys of `serve --api_key_file`.

The file holds hashes: a key is shown once, when it is made. A running server follows the file's changes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from calcgraph.servers.auth.key_file import read_keys, write_keys
from calcgraph.servers.auth.keys import Key, digest_of, new_secret
from calcgraph.servers.auth.scopes import Scope
from calcgraph.servers.model_config import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    add = deeds.add_parser("add", help="make a key and print it")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument("name", metavar="NAME", help="who it is for")
    add.add_argument(
        "--scopes",
        type=_scopes,
        default=(Scope.INFER,),
        metavar="NAME,...",
        help=f"what it allows, of {', '.join(scope.value for scope in Scope)} (infer)",
    )
    add.add_argument("--requests_per_minute", type=_quota, metavar="N")
    add.add_argument("--tokens_per_minute", type=_quota, metavar="N")
    show = deeds.add_parser("list", help="names, scopes and quotas")
    show.add_argument("file", type=Path, metavar="FILE")
    remove = deeds.add_parser("remove", help="have a key refused from now on")
    remove.add_argument("file", type=Path, metavar="FILE")
    remove.add_argument("name", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    if args.deed == "add":
        _add(args)
    elif args.deed == "remove":
        _remove(args.file, args.name)
    else:
        for key in read_keys(args.file):
            print(_line(key))
    return 0


def _add(args: argparse.Namespace) -> None:
    keys = list(read_keys(args.file)) if args.file.exists() else []
    if any(key.name == args.name for key in keys):
        raise ConfigError(f"{args.file}: there is a key '{args.name}' already")
    secret = new_secret()
    quotas = (args.requests_per_minute, args.tokens_per_minute)
    write_keys(args.file, [*keys, Key(args.name, digest_of(secret), args.scopes, *quotas)])
    print(secret)
    print("it is shown this once: the file has its hash", file=sys.stderr)


def _remove(file: Path, name: str) -> None:
    keys = read_keys(file)
    left = [key for key in keys if key.name != name]
    if len(left) == len(keys):
        raise ConfigError(f"{file}: there is no key '{name}'")
    write_keys(file, left)


def _line(key: Key) -> str:
    quotas = {"requests": key.requests_per_minute, "tokens": key.tokens_per_minute}
    limits = [f"{most} {what} a minute" for what, most in quotas.items() if most]
    return "\t".join([key.name, ",".join(sorted(scope.value for scope in key.scopes)), *limits])


def _scopes(text: str) -> tuple[Scope, ...]:
    try:
        return tuple(Scope(name.strip()) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _quota(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected an integer above 0, found {text!r}")
