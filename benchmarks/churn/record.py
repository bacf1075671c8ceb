"""What an hour looked like: every few seconds the latency, the memory, the threads and the open files."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20


@dataclass(frozen=True)
class Window:
    """Some seconds of the run. Latencies in ms, NaN where nothing was answered."""

    minutes: float
    answered: int
    p50: float
    p95: float
    p99: float
    resident_mib: float
    threads: int
    files: int


@dataclass(frozen=True)
class Happening:
    """Something that was done to the server, and what was seen of it."""

    minutes: float
    name: str
    seen: str


class Record:
    """Collects latencies and closes a window when asked."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._start = time.perf_counter()
        self._latencies: list[float] = []
        self.windows: list[Window] = []
        self.happenings: list[Happening] = []
        self.failures: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    @property
    def minutes(self) -> float:
        return (time.perf_counter() - self._start) / 60

    def latency(self, seconds: float) -> None:
        self._latencies.append(seconds)

    def happened(self, name: str, seen: str) -> None:
        self.happenings.append(Happening(self.minutes, name, seen))

    def close_window(self) -> None:
        taken, self._latencies = self._latencies, []
        quantiles = np.percentile(taken, (50, 95, 99)) * 1e3 if taken else (np.nan,) * 3
        proc = Path(f"/proc/{self._process}")
        self.windows.append(
            Window(
                self.minutes,
                len(taken),
                *(float(q) for q in quantiles),
                resident_mib=int((proc / "statm").read_text().split()[1]) * PAGE / MIB,
                threads=len(list((proc / "task").iterdir())),
                files=len(list((proc / "fd").iterdir())),
            )
        )

    def growth(self, settled: float) -> float:
        """Resident memory in the last tenth of the run over that in a tenth after `settled` of it.

        Medians, since a model that is loaded beside the old one makes a peak.
        """
        memory = [window.resident_mib for window in self.windows]
        tenth = max(1, len(memory) // 10)
        first = int(len(memory) * settled)
        return float(np.median(memory[-tenth:]) / np.median(memory[first : first + tenth]))

    def as_json(self) -> dict[str, object]:
        return {
            "windows": [asdict(window) for window in self.windows],
            "happenings": [asdict(happening) for happening in self.happenings],
            "outcomes": dict(self.outcomes),
            "failures": dict(self.failures),
        }


def plot(windows: Sequence[Window], happenings: Sequence[Happening], file: Path) -> None:
    """Latency above, memory and threads below, a line for each kind of happening."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (latency, memory) = plt.subplots(
        2, 1, figsize=(11, 6.5), sharex=True, layout="constrained"
    )
    at = [window.minutes for window in windows]
    for name in ("p50", "p95", "p99"):
        latency.plot(at, [getattr(window, name) for window in windows], label=name, linewidth=0.9)
    latency.set(ylabel="latency, ms", yscale="log")
    latency.legend(fontsize=8, loc="upper right")
    memory.plot(at, [window.resident_mib for window in windows], label="resident memory, MiB")
    memory.plot(at, [window.threads for window in windows], label="threads")
    memory.plot(at, [window.files for window in windows], label="open files")
    memory.set(xlabel="minutes", ylim=(0, None))
    names = list(dict.fromkeys(happening.name for happening in happenings))
    for index, name in enumerate(names):
        times = [happening.minutes for happening in happenings if happening.name == name]
        latency.plot(
            times, [0.02 + 0.04 * index] * len(times), "|", label=name,
            transform=latency.get_xaxis_transform(), color=f"C{3 + index}",
        )  # fmt: skip
    latency.legend(fontsize=7, loc="upper right", ncols=2)
    memory.legend(fontsize=8)
    for axes in (latency, memory):
        axes.grid(alpha=0.3)
    figure.savefig(file, dpi=110)
    plt.close(figure)
