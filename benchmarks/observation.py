"""What watching a request costs: `python -m benchmarks.observation`.

Runs all that the server does for metrics, log and traces between a request's arrival and its answer, and
nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from calcgraph.runtime.errors import Code
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.errors import Answer
from calcgraph.servers.model_config import ModelEntry
from calcgraph.servers.observation.exchange import Method, Surface, about, accepted
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.repository.repository import Repository

_REFUSED = Answer(Code.INVALID_ARGUMENT, 400, "invalid_request_error", "no", "input", "too_odd")


def answered(observation: Observation) -> None:
    with observation.exchange(Surface.OPENAI, "POST /v3/embeddings", {}):
        about("model", Method.UNARY)
        accepted()


def refused(observation: Observation) -> None:
    with observation.exchange(Surface.OPENAI, "POST /v3/embeddings", {}) as exchange:
        about("model", Method.UNARY)
        exchange.failure = _REFUSED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="of each kind")
    count = parser.parse_args().requests
    repository = Repository()
    repository.register(ModelEntry("model", Path(), Path("graph.pbtxt")))
    observation = Observation(DataPlane(repository))
    for kind in (answered, refused):
        print(f"{kind.__name__}: {cost(kind, observation, count):.2f} us a request")


def cost(kind: Callable[[Observation], None], observation: Observation, count: int) -> float:
    """The median of ten rounds, in microseconds."""
    rounds = []
    for _ in range(10):
        start = time.perf_counter()
        for _ in range(count // 10):
            kind(observation)
        rounds.append((time.perf_counter() - start) / (count // 10) * 1e6)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
