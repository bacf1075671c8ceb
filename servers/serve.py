"""Serve models over REST and gRPC.

The models are those of OVMS's config.json (--config_path), or one folder with a graph.pbtxt
(--model_name and --model_path). At least one of --rest_port and --port says where to listen; a front end
whose port is not given does not start. Port 0 takes a free one (in OVMS it means none).

With --source_model NAME_OR_FOLDER the model is prepared first, with the flags of `calcgraph pull`, and then served.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from calcgraph.runtime.registry import REGISTRY
from calcgraph.servers import ovms_flags
from calcgraph.servers.auth import flags as auth_flags
from calcgraph.servers.limits import flags as limit_flags
from calcgraph.servers.logs import FORMATS, LEVELS, log_to
from calcgraph.servers.metrics import flags as metrics_flags
from calcgraph.servers.model_config import ConfigError
from calcgraph.servers.repository import flags as repository_flags
from calcgraph.servers.rest.cors import Cors
from calcgraph.servers.server import Listen, ServerOptions, serve
from calcgraph.servers.tracing.open_telemetry import Tracing, wanted

_IDLE_THREAD_ENDS_S: Final = 1.0

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    repository_flags.add_arguments(parser)
    parser.add_argument(
        "--rest_port", type=_port, metavar="PORT", help="serve REST here; 0 takes a free port"
    )
    parser.add_argument(
        "--port", type=_port, metavar="PORT", help="serve gRPC here; 0 takes a free port"
    )
    parser.add_argument("--rest_bind_address", default="127.0.0.1", metavar="HOST")
    parser.add_argument("--grpc_bind_address", default="127.0.0.1", metavar="HOST")
    parser.add_argument(
        "--drain_seconds",
        type=float,
        default=15.0,
        metavar="S",
        help="how long running requests may take to end when the server stops (15)",
    )
    parser.add_argument(
        "--shutdown_grace_seconds",
        type=float,
        default=0.0,
        metavar="S",
        help="how long it goes on taking requests, not ready, when it is told to stop (0)",
    )
    parser.add_argument(
        "--on_load_error",
        choices=("exit", "serve"),
        default="exit",
        help="when a model cannot be loaded at the start: end with status 1, or serve the others, not ready (exit)",
    )
    parser.add_argument(
        "--health_port",
        type=_port,
        metavar="PORT",
        help="answer /livez, /readyz and /startupz here, from a thread of its own",
    )
    parser.add_argument(
        "--allowed_origins",
        type=_names,
        default=(),
        metavar="ORIGIN,...",
        help="pages that may call from a browser (CORS); * is any, as OVMS has it (none)",
    )
    parser.add_argument(
        "--allowed_methods", type=_names, default=("*",), metavar="NAME,...", help="their methods"
    )
    parser.add_argument(
        "--allowed_headers", type=_names, default=("*",), metavar="NAME,...", help="their headers"
    )
    parser.add_argument(
        "--grpc_channel_arguments",
        type=_channel_options,
        default={},
        metavar="NAME=VALUE,...",
        help="options of the gRPC library",
    )
    parser.add_argument(
        "--repository_extension",
        action="store_true",
        help="let KServe's and Triton's clients list, load and unload models (off)",
    )
    parser.add_argument(
        "--rest_base_path",
        type=_base_path,
        default="",
        metavar="/PATH",
        help="what stands before every path of REST, where a proxy does not take it off",
    )
    parser.add_argument("--log_level", type=str.upper, choices=LEVELS, default="INFO")
    parser.add_argument(
        "--log_path", type=Path, metavar="FILE", help="log to this file, not to stderr"
    )
    parser.add_argument(
        "--log_format", choices=FORMATS, default="text", help="lines for people or for programs"
    )
    parser.add_argument(
        "--otlp_endpoint",
        metavar="URL",
        help="send traces of requests to this OpenTelemetry collector, as http://host:4318 (none)",
    )
    parser.add_argument(
        "--calculators",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a Python file with calculators of your own; may be given several times",
    )
    auth_flags.add_arguments(parser)
    limit_flags.add_arguments(parser)
    metrics_flags.add_arguments(parser)
    ovms_flags.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    log_to(args.log_path, args.log_level, args.log_format)
    ovms_flags.check(args)
    models, options = repository_flags.following(args), _options(args)
    for file in args.calculators:
        REGISTRY.load_file(file)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(models, options, lambda line: print(line, flush=True)))
    _leave_stuck_threads()
    return 0


def _leave_stuck_threads() -> None:
    """End the process if a calculator hangs in a thread, which Python would wait for without end."""
    for thread in threading.enumerate():
        if thread is threading.current_thread() or thread.daemon:
            continue
        thread.join(_IDLE_THREAD_ENDS_S)
        if thread.is_alive():
            log.warning("thread %s still works after the drain; leaving it behind", thread.name)
            logging.shutdown()
            os._exit(0)


def _options(args: argparse.Namespace) -> ServerOptions:
    if args.rest_port is None and args.port is None:
        raise ConfigError("expected --rest_port PORT, --port PORT or both: nothing would be served")
    if args.rest_port == args.port != 0 and args.rest_bind_address == args.grpc_bind_address:
        raise ConfigError(
            f"REST and gRPC cannot share a port: --rest_port and --port are {args.port}"
        )
    rest = None if args.rest_port is None else Listen(args.rest_bind_address, args.rest_port)
    grpc = None if args.port is None else Listen(args.grpc_bind_address, args.port)
    return ServerOptions(
        rest=rest,
        grpc=grpc,
        security=auth_flags.security(args, [each.host for each in (rest, grpc) if each]),
        limits=limit_flags.limits(args),
        transfer=limit_flags.transfer(args),
        drain_s=args.drain_seconds,
        grace_s=args.shutdown_grace_seconds,
        health=None
        if args.health_port is None
        else Listen(args.rest_bind_address, args.health_port),
        keep_serving=args.on_load_error == "serve",
        grpc_channel_options=args.grpc_channel_arguments,
        cors=Cors(args.allowed_origins, args.allowed_methods, args.allowed_headers),
        ovms_metrics=metrics_flags.ovms_metrics(args),
        model_control=args.repository_extension,
        base_path=args.rest_base_path,
        tracing=Tracing(args.otlp_endpoint) if wanted(args.otlp_endpoint) else None,
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, found {text!r}")


def _base_path(text: str) -> str:
    if not text.strip("/") or text.startswith("/"):
        return text.rstrip("/")
    raise argparse.ArgumentTypeError(f"expected a path like /base, found {text!r}")


def _names(text: str) -> Sequence[str]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _channel_options(text: str) -> Mapping[str, str | int]:
    options: dict[str, str | int] = {}
    for item in filter(None, text.split(",")):
        name, equals, value = item.partition("=")
        if not equals:
            raise argparse.ArgumentTypeError(f"expected NAME=VALUE, found {item!r}")
        options[name.strip()] = int(value) if value.lstrip("-").isdecimal() else value
    return options


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return None
    return uvloop.new_event_loop
