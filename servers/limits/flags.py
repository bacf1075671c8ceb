"""The flags of `serve` that limit what it takes on."""

from __future__ import annotations

import argparse

from calcgraph.servers.limits.limits import Limits
from calcgraph.servers.limits.transfer import TransferLimits

_WAIT_S = 5.0
_BULK_WAIT_S = 60.0
_MIB = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max_queue_seconds",
        type=seconds,
        default=_WAIT_S,
        metavar="S",
        help=f"refuse a request that would wait longer, with 429 ({_WAIT_S:g})",
    )
    parser.add_argument(
        "--max_bulk_queue_seconds",
        type=seconds,
        default=_BULK_WAIT_S,
        metavar="S",
        help=f"the same for requests of more than 1024 tokens, and bulk ones ({_BULK_WAIT_S:g})",
    )
    parser.add_argument(
        "--request_timeout",
        type=seconds,
        metavar="S",
        help="answer 504 to a request that takes longer and does not say X-Request-Timeout (none)",
    )
    parser.add_argument(
        "--max_body_mb", type=_count, default=64, metavar="MB", help="the largest REST body (64)"
    )
    parser.add_argument(
        "--max_bodies_mb",
        type=_count,
        default=1024,
        metavar="MB",
        help="of all REST bodies that are being read and answered; beyond it 429 (1024)",
    )
    parser.add_argument(
        "--max_message_mb",
        type=_count,
        default=1024,
        metavar="MB",
        help="the largest gRPC message (1024, as in OVMS)",
    )
    parser.add_argument(
        "--max_connections",
        type=_count,
        default=4096,
        metavar="N",
        help="to REST; beyond it idle ones are closed, then new ones get 503 (4096)",
    )
    parser.add_argument(
        "--max_grpc_calls",
        type=_count,
        default=4096,
        metavar="N",
        help="calls at a time; beyond it RESOURCE_EXHAUSTED (4096)",
    )
    parser.add_argument(
        "--client_timeout",
        type=seconds,
        default=30.0,
        metavar="S",
        help="what a client may take over headers, or a body, or reading an answer (30; more for large ones)",
    )


def transfer(args: argparse.Namespace) -> TransferLimits:
    return TransferLimits(
        connections=args.max_connections,
        client_s=args.client_timeout,
        body_bytes=args.max_body_mb * _MIB,
        bodies_bytes=args.max_bodies_mb * _MIB,
        message_bytes=args.max_message_mb * _MIB,
        calls=args.max_grpc_calls,
    )


def limits(args: argparse.Namespace) -> Limits:
    return Limits(args.max_queue_seconds, args.max_bulk_queue_seconds, args.request_timeout)


def seconds(text: str) -> float:
    """A time above 0, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0 < value < float("inf"):
        return value
    raise argparse.ArgumentTypeError(f"expected seconds, above 0, found {text!r}")


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected an integer above 0, found {text!r}")
