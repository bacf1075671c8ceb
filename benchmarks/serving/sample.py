"""One measurement: what was done in a few seconds, how long it took, and who used the processor."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """Latencies are of requests, in ms; of raw inferences, where there is no request."""

    texts_per_second: float
    p50: float
    p95: float
    p99: float
    cpu_us: float
    """Processor time for a text: of the server, or of this process where it infers itself."""
    client_us: float
    """Processor time of the load generator for a request."""
    others: float
    """Cores that were busy with neither."""
    failed: int = 0


class Stopwatch:
    """Wall time and processor time from its making to `stop`: of the server, of this process, of all others."""

    def __init__(self, server: int | None = None) -> None:
        self._server = server
        self._start = self._now()
        self._end: tuple[float, float, float, float] | None = None

    def stop(self) -> None:
        self._end = self._now()

    def sample(self, texts: float, latencies: Sequence[float], failed: int = 0) -> Sample:
        """`latencies` in seconds, one for each request that succeeded."""
        end = self._end or self._now()
        wall, server, own, all_ = (b - a for a, b in zip(self._start, end, strict=True))
        ms = np.percentile(latencies, (50, 95, 99)) * 1e3 if latencies else (np.nan,) * 3
        return Sample(
            texts_per_second=texts / wall,
            p50=float(ms[0]),
            p95=float(ms[1]),
            p99=float(ms[2]),
            cpu_us=(server if self._server else own) / max(1, texts) * 1e6,
            client_us=own / max(1, len(latencies)) * 1e6,
            others=max(0.0, all_ - own - server) / wall,
            failed=failed,
        )

    def _now(self) -> tuple[float, float, float, float]:
        server = cpu_seconds(self._server) if self._server else 0.0
        return time.perf_counter(), server, time.process_time(), _busy_seconds()


def others_now(seconds: float = 0.2) -> float:
    """Cores that are busy at the moment, while this process and the servers under test rest."""
    before = _busy_seconds()
    time.sleep(seconds)
    return (_busy_seconds() - before) / seconds


def cpu_seconds(process: int) -> float:
    """That a process has used so far, in all its threads."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _busy_seconds() -> float:
    """That the processors were not idle, all together; time stolen by the host counts."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS
