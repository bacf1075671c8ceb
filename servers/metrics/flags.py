"""How to ask for OVMS's metrics: its flags, and `monitoring` in its config.json."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import msgspec

from calcgraph.servers.metrics.ovms import OvmsMetrics
from calcgraph.servers.model_config import ConfigError

_PATH: Final = "/metrics"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics_enable",
        action="store_true",
        help="GET /metrics also tells OVMS's metrics, under OVMS's names",
    )
    parser.add_argument(
        "--metrics_list", metavar="NAME,...", help="those of them to tell (OVMS's default ones)"
    )


def ovms_metrics(args: argparse.Namespace) -> OvmsMetrics:
    """What the flags say, else what the configuration says. Raises ConfigError."""
    if args.metrics_enable or args.metrics_list:
        names = [name.strip() for name in (args.metrics_list or "").split(",") if name.strip()]
        return _asked_for("--metrics_list", names)
    return _configured(args.config_path) if args.config_path else OvmsMetrics()


class _Metrics(msgspec.Struct, forbid_unknown_fields=True):
    enable: bool = False
    metrics_list: list[str] = msgspec.field(default_factory=list)
    endpoint_path: str = _PATH


class _Monitoring(msgspec.Struct, forbid_unknown_fields=True):
    metrics: _Metrics = msgspec.field(default_factory=_Metrics)


class _Config(msgspec.Struct):
    monitoring: _Monitoring = msgspec.field(default_factory=_Monitoring)


def _configured(file: Path) -> OvmsMetrics:
    if file.is_dir():
        file = file / "config.json"
    try:
        config = msgspec.json.decode(file.read_bytes(), type=_Config)
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file") from None
    except (msgspec.MsgspecError, OSError) as error:
        raise ConfigError(f"{file}: {error}") from None
    metrics = config.monitoring.metrics
    if metrics.endpoint_path != _PATH:
        raise ConfigError(
            f"{file}: monitoring.metrics.endpoint_path: found {metrics.endpoint_path!r}, "
            f"expected {_PATH!r}, where they are served"
        )
    if not metrics.enable:
        return OvmsMetrics()
    return _asked_for(f"{file}: monitoring.metrics.metrics_list", metrics.metrics_list)


def _asked_for(where: str, names: list[str]) -> OvmsMetrics:
    try:
        return OvmsMetrics.asked_for(names)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
