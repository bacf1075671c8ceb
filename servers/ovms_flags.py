"""OVMS's flags that calcgraph does not have: which do no harm when they are ignored, which are refused."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from typing import Final

from calcgraph.servers.model_config import ConfigError

log = logging.getLogger(__name__)

_ONE_PROCESS: Final = "one event loop serves all connections"


@dataclass(frozen=True, slots=True)
class _Flag:
    """One flag, and why it does nothing. Refused are those whose user counts on their effect."""

    name: str
    reason: str
    refused: bool = False
    takes_value: bool = True


_FLAGS: Final = (
    _Flag("rest_workers", _ONE_PROCESS),
    _Flag("grpc_workers", _ONE_PROCESS),
    _Flag("grpc_max_threads", _ONE_PROCESS),
    _Flag("grpc_memory_quota", "memory is not limited per server"),
    _Flag("sequence_cleaner_poll_wait_minutes", "there are no sequences"),
    _Flag("custom_node_resources_cleaner_interval_seconds", "there are no custom nodes"),
    _Flag("cache_dir", "set CACHE_DIR in plugin_config of the model's graph.pbtxt"),
    _Flag("cpu_extension", "extensions are not loaded", refused=True),
    _Flag("stateful", "stateful models are not served", refused=True, takes_value=False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let the parser know them; --help does not list them."""
    for flag in _FLAGS:
        if flag.takes_value:
            parser.add_argument(f"--{flag.name}", help=argparse.SUPPRESS)
        else:
            parser.add_argument(f"--{flag.name}", action="store_true", help=argparse.SUPPRESS)


def check(args: argparse.Namespace) -> None:
    """Warn of each given flag that has no effect. Raises ConfigError for one that cannot be ignored."""
    for flag in _FLAGS:
        if getattr(args, flag.name) in (None, False):
            continue
        if flag.refused:
            raise ConfigError(f"--{flag.name} is OVMS's and not supported: {flag.reason}")
        log.warning("--%s has no effect: %s", flag.name, flag.reason)
