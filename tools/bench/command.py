"""Measure a server's throughput and latency; the flags and the output are those of OVMS's benchmark.py.

Any OpenAI-style server, TEI's /embed and the Open Inference Protocol (KServe) can be measured. With
--request_rate inf (the default) so many clients as --concurrency says each wait for their last answer;
with a number, requests leave by a clock and a latency counts from the time when its request was due.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from calcgraph.runtime.errors import Code, InvalidStatus
from calcgraph.tools.bench import documents
from calcgraph.tools.bench.backends import BACKENDS, Backend
from calcgraph.tools.bench.http1 import Target
from calcgraph.tools.bench.load import Outcome, Request, closed_loop, open_loop, poisson
from calcgraph.tools.bench.tally import Tally, lines, summary
from calcgraph.tools.bench.ways import Grpc, Http, Way
from calcgraph.tools.published_model import DEFAULT_MODEL

DEFAULT_CLIENTS = 100
"""As OVMS's benchmark."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--api_url", metavar="URL", help="of the endpoint; the default depends on the backend")
    add("--backend", choices=BACKENDS, default="ovms-embeddings", help="(%(default)s)")
    add("--model", default=DEFAULT_MODEL.name, metavar="NAME", help="(%(default)s)")
    add(
        "--dataset",
        default=documents.SYNTHETIC,
        metavar="synthetic|FILE",
        help="a .csv or .jsonl file with a column `text`, or a .txt file, a text a line (synthetic)",
    )
    add("--synthetic_length", type=_count, default=510, metavar="TOKENS", help="(%(default)s)")
    add("--limit", "--documents", type=_count, default=1000, help="how many texts (%(default)s)")
    add("--num_requests", type=_count, help="how many requests; the dataset repeats if it must")
    add("--batch_size", type=_count, default=16, help="texts a request (%(default)s)")
    add(
        "--request_rate",
        type=_rate,
        default=math.inf,
        metavar="N|inf",
        help="requests a second, at random times (inf)",
    )
    add(
        "--concurrency",
        type=_count,
        help=f"requests at a time ({DEFAULT_CLIENTS} with --request_rate inf, else unlimited)",
    )
    add("--warm_up", type=int, default=0, metavar="REQUESTS", help="sent before, not counted (0)")
    add("--tokenizer", type=Path, metavar="FILE", help="tokenizer.json, or its folder, to count by")
    add("--seed", type=int, default=1, help="of the random times (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    add("--no_progress", action="store_true", help="draw no bar")


def run(args: argparse.Namespace) -> int:
    backend = BACKENDS[args.backend]
    url = args.api_url or backend.url_of(args.model)
    try:
        wrap = _envelope(backend, url)
    except ValueError as error:
        raise InvalidStatus(Code.INVALID_ARGUMENT, f"--api_url: {error}") from None
    texts = _texts(args)
    print("Number of documents:", len(texts))
    requests = _requests(args, backend, texts, wrap)
    figures = _loop_runner()(_measure(args, backend, url, requests))
    print(*lines(figures), sep="\n")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if figures["succeeded"] == figures["requests"] else 1


def _texts(args: argparse.Namespace) -> list[str]:
    if args.dataset == documents.SYNTHETIC:
        source: Iterator[str] = documents.synthetic(args.synthetic_length)
    else:
        source = iter(documents.read(Path(args.dataset)))
    if args.num_requests:
        return list(itertools.islice(itertools.cycle(source), args.num_requests * args.batch_size))
    return list(itertools.islice(source, args.limit))


def _envelope(backend: Backend, url: str) -> Callable[[bytes], bytes]:
    """What makes a whole request of a body. Raises ValueError for a wrong URL."""
    if backend.grpc:
        return lambda body: body
    target = Target.of(url)
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    return lambda body: target.post(body, headers)


def _requests(
    args: argparse.Namespace,
    backend: Backend,
    texts: Sequence[str],
    wrap: Callable[[bytes], bytes],
) -> list[Request]:
    count = _counter(args)
    size = args.batch_size
    batches = [texts[i : i + size] for i in range(0, len(texts), size)]
    return [
        Request(
            wrap(backend.body(args.model, batch)), len(batch), sum(count(batch)) if count else None
        )
        for batch in batches
    ]


def _counter(args: argparse.Namespace) -> Callable[[Sequence[str]], list[int]] | None:
    """Counts tokens; None where that is left to what the server answers."""
    if args.tokenizer:
        return documents.token_counter(args.tokenizer)
    if args.dataset == documents.SYNTHETIC:
        return lambda texts: [args.synthetic_length] * len(texts)
    return None


async def _measure(
    args: argparse.Namespace, backend: Backend, url: str, requests: Sequence[Request]
) -> dict[str, Any]:
    way: Way = Grpc(url) if backend.grpc else Http(Target.of(url))
    tally = Tally()
    try:
        if args.warm_up:
            first = itertools.islice(itertools.cycle(requests), args.warm_up)
            await closed_loop(way, first, min(args.warm_up, DEFAULT_CLIENTS), lambda _: None)
        with tqdm(total=len(requests), disable=args.no_progress) as bar:

            def done(outcome: Outcome) -> None:
                tally.add(outcome)
                bar.update()

            start, cpu = time.perf_counter(), time.process_time()
            if math.isinf(args.request_rate):
                clients = args.concurrency or DEFAULT_CLIENTS
                await closed_loop(way, iter(requests), clients, done)
            else:
                times = poisson(args.request_rate, args.seed)
                await open_loop(way, iter(requests), times, done, args.concurrency)
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    finally:
        await way.close()
    return summary(tally, seconds, cpu)


def _loop_runner() -> Callable[..., Any]:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run
    return uvloop.run


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number above 0, found {text!r}")


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if rate > 0:
        return rate
    raise argparse.ArgumentTypeError(f"expected requests a second, or inf; found {text!r}")
