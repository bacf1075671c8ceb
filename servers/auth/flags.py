"""The flags of `serve` that say who may call, and over what."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calcgraph.servers.auth.guard import OPEN, Guard
from calcgraph.servers.auth.key_file import KeyFile
from calcgraph.servers.auth.keys import Keys, KeySet, plain_key
from calcgraph.servers.model_config import ConfigError
from calcgraph.servers.tls import Tls

_KEY_VARIABLE: Final = "API_KEY"
"""Where OVMS looks when no file is given."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Security:
    """Who may call, and over what."""

    guard: Guard = OPEN
    tls: Tls | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--api_key_file",
        type=Path,
        metavar="FILE",
        help=f"who may call: OVMS's file of one key, or one of `calcgraph keys` (else ${_KEY_VARIABLE}, else all)",
    )
    parser.add_argument(
        "--health_needs_key", action="store_true", help="probes need a key too (they do not)"
    )
    parser.add_argument(
        "--tls_cert", type=Path, metavar="FILE", help="serve TLS with this certificate (PEM)"
    )
    parser.add_argument("--tls_key", type=Path, metavar="FILE", help="and its private key (PEM)")
    parser.add_argument(
        "--tls_client_ca",
        type=Path,
        metavar="FILE",
        help="let in only clients whose certificate this authority (PEM) has signed",
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="listen beyond this machine without a key and without TLS",
    )


def security(args: argparse.Namespace, hosts: Iterable[str]) -> Security:
    """What the flags say, for front ends that listen on `hosts`. Raises ConfigError."""
    keys, tls = _keys(args.api_key_file), _tls(args)
    for host in hosts:
        if not args.insecure and not _is_loopback(host):
            _check_exposed(host, keys, tls)
    return Security(Guard(keys, open_health=not args.health_needs_key), tls)


def _keys(file: Path | None) -> Keys | None:
    if file is not None:
        return KeyFile(file)
    secret = os.environ.get(_KEY_VARIABLE, "").strip()
    return KeySet([plain_key(secret, _KEY_VARIABLE)]) if secret else None


def _tls(args: argparse.Namespace) -> Tls | None:
    if args.tls_cert and args.tls_key:
        return Tls(args.tls_cert, args.tls_key, args.tls_client_ca)
    if args.tls_cert or args.tls_key or args.tls_client_ca:
        raise ConfigError("expected --tls_cert FILE and --tls_key FILE together")
    return None


def _check_exposed(host: str, keys: Keys | None, tls: Tls | None) -> None:
    if keys is None and tls is None:
        raise ConfigError(
            f"{host} can be reached from other machines: expected --api_key_file FILE or --tls_cert FILE "
            "and --tls_key FILE; --insecure serves everybody without"
        )
    if keys is None and tls is not None and tls.client_ca is None:
        log.warning("everybody who reaches %s may call: there is no key", host)
    if tls is None:
        log.warning("keys travel to %s unencrypted: there is no TLS", host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
