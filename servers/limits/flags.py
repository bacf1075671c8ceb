"""The flags of `serve` that limit what it takes on."""

from __future__ import annotations

import argparse

from calcgraph.servers.limits.limits import Limits

_WAIT_S = 5.0
_BULK_WAIT_S = 60.0


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
