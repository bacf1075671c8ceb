"""On a part of the box, are the threads that the engine chooses as good as the best set by hand?

    python benchmarks/quota.py [--cpus 1] [--cgroup] [--rounds 7] [--seconds 1] [MODEL_FOLDER]

Limits this process to some CPUs, by affinity or (where it may make one) by a control group's quota, then
runs engines in turn, round after round: with the settings chosen, and with others set by hand. Exit status 1
when the chosen ones are more than 10 % behind the best.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from calcgraph.calculators.engine import Engine, Pooling

sys.path.insert(0, str(Path(__file__).parent))
from engine import MAX_TOKENS, MODEL, TEXTS, in_flight, tokenize

ENOUGH = 0.9
LOADS: Mapping[str, tuple[int, int]] = {"64 x 1 text": (64, 1), "8 x 32 texts": (8, 32)}
CHOSEN = "chosen"
ROOT_GROUP = Path("/sys/fs/cgroup")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", type=Path, default=MODEL)
    parser.add_argument("--texts", type=Path, default=TEXTS, help="CSV file with a column `text`")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--cgroup", action="store_true", help="by quota, not by affinity")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    args = parser.parse_args()
    with quota(args.cpus) if args.cgroup else affinity(args.cpus):
        return compare(args)


@contextmanager
def affinity(cpus: int) -> Iterator[None]:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[-cpus:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextmanager
def quota(cpus: int) -> Iterator[None]:
    """A control group with this process in it. Raises OSError where that is not allowed."""
    first = (ROOT_GROUP / "cpu").is_dir()  # version 1
    root = ROOT_GROUP / "cpu" if first else ROOT_GROUP
    group = root / "calcgraph-quota"
    group.mkdir()
    try:
        if first:
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text(f"{cpus * 100_000}")
        else:
            (group / "cpu.max").write_text(f"{cpus * 100_000} 100000")
        (group / "cgroup.procs").write_text(str(os.getpid()))
        yield
    finally:
        (root / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


def compare(args: argparse.Namespace) -> int:
    by_hand = {
        f"{threads} threads, {streams} streams": {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
        }
        for threads in sorted({args.cpus, 2 * args.cpus})
        for streams in sorted({1, threads})
    }
    texts = tokenize(args.model, args.texts)
    with ExitStack() as opened:
        engines: dict[str, Engine] = {}
        for name, config in {CHOSEN: {}, **by_hand}.items():
            engine = Engine.open(
                args.model,
                pooling=Pooling.MEAN,
                normalize=True,
                max_tokens=MAX_TOKENS,
                plugin_config=config,
            )
            engines[name] = opened.enter_context(engine)
            engine.warm_up()
        info = engines[CHOSEN].info
        print(f"{args.cpus} CPUs; chosen: {info.threads} threads, {info.streams} streams")
        found = [good(engines, load, args, texts) for load in LOADS]
    return int(not all(found))


def good(engines: Mapping[str, Engine], load: str, args: argparse.Namespace, texts: list) -> bool:
    clients, size = LOADS[load]
    rates: dict[str, list[float]] = {name: [] for name in engines}
    for engine in engines.values():
        in_flight(engine, texts, clients, size, 0.3)
    for _ in range(args.rounds):
        for name, engine in engines.items():
            rates[name].append(in_flight(engine, texts, clients, size, args.seconds))
    median = {name: statistics.median(each) for name, each in rates.items()}
    best = max((name for name in rates if name != CHOSEN), key=median.__getitem__)
    ratio = statistics.median(a / b for a, b in zip(rates[CHOSEN], rates[best], strict=True))
    print(f"\n{load}: chosen is {ratio:.2f} of the best by hand, {best}")
    for name, value in median.items():
        print(f"  {name:24}{value:8,.0f} texts/s")
    return ratio >= ENOUGH


if __name__ == "__main__":
    sys.exit(main())
