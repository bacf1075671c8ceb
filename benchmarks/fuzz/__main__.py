"""Fuzzing of what comes from outside: graph files, JSON bodies, binary tensors, gRPC messages.

    python -m benchmarks.fuzz [--seconds 60] [--only TARGET] [--keep]

Coverage-guided (atheris, libFuzzer), one process a target, from the corpus in tests/data/fuzz, which `make test`
runs through as well. Prints Markdown: run time, executions, findings; a finding is written beside the corpus of
its target, and the exit status is 1. --keep writes what reached new code into the corpus, as few files as do.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "data" / "fuzz"
TARGETS = ("graph", "openai", "infer_rest", "infer_grpc")
LONGEST = 4096
SLOWEST_S = 5
"""An input that takes longer is a finding too."""
MEMORY_MB = 2048
STRUCTURED = 0.8
"""Of the mutations of what has a form, so many keep it."""
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Result:
    target: str
    executions: int
    covered: int
    findings: int
    log: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", choices=TARGETS, help="one target")
    parser.add_argument("--keep", action="store_true", help="add to the corpus")
    parser.add_argument("--child", choices=TARGETS, help=argparse.SUPPRESS)
    args, rest = parser.parse_known_args()
    if args.child:
        fuzz(args.child, rest)
    results = []
    print(
        "| target | seconds | executions | edges covered | findings |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for target in [args.only] if args.only else TARGETS:
        results.append(result := run(target, args.seconds, args.keep))
        print(
            f"| {target} | {args.seconds} | {result.executions:,} | {result.covered:,} "
            f"| {result.findings} |",
            flush=True,
        )
    for result in results:
        if result.findings:
            print(f"\n{result.target}:\n{result.log[-4000:]}", file=sys.stderr)
    return int(any(result.findings for result in results))


def run(target: str, seconds: int, keep: bool) -> Result:
    """Fuzz one target in a process of its own, which a finding ends."""
    with tempfile.TemporaryDirectory() as found:
        options = [f"-max_total_time={seconds}", *_options(target), found, str(CORPUS / target)]
        log = _child(target, options)
        if keep:
            _merge(target, Path(found))
    findings = list((CORPUS / target).glob("finding-*"))
    executed, covered = _EXECUTED.search(log), _COVERED.findall(log)
    if executed is None or not covered:
        raise RuntimeError(f"fuzzing {target} did not work:\n{log[-4000:]}")
    return Result(target, int(executed[1]), int(covered[-1]), len(findings), log)


def _merge(target: str, found: Path) -> None:
    """The corpus anew: as few and as short files as reach what all of them reach."""
    with tempfile.TemporaryDirectory() as fewest:
        _child(target, ["-merge=1", *_options(target), fewest, str(CORPUS / target), str(found)])
        if not any(Path(fewest).iterdir()):
            return
        for old in (CORPUS / target).iterdir():
            old.unlink()
        for new in Path(fewest).iterdir():
            shutil.copy(new, CORPUS / target / new.name[:16])


def _options(target: str) -> Iterator[str]:
    yield from (f"-max_len={LONGEST}", f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MEMORY_MB}")
    yield from ("-print_final_stats=1", f"-artifact_prefix={CORPUS / target}/finding-")
    yield f"-dict={Path(__file__).with_name('words.dict')}"


def _child(target: str, options: list[str]) -> str:
    command = [sys.executable, "-m", "benchmarks.fuzz", "--child", target, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
    return done.stdout + done.stderr


def fuzz(target: str, options: list[str]) -> None:
    """Never returns."""
    import atheris

    with atheris.instrument_imports(include=["calcgraph"]):
        from benchmarks.fuzz.targets import TARGETS as functions
    from benchmarks.fuzz.mutate import MUTATORS

    mutator = MUTATORS.get(target)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        changed = mutator(data, chance) if mutator and chance.random() < STRUCTURED else None
        return atheris.Mutate(data, most) if changed is None or len(changed) > most else changed

    atheris.Setup([sys.argv[0], *options], functions[target], custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
