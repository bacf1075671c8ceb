"""Throughput and latency against concurrency and text length, as PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.serving.load import median
from benchmarks.serving.sample import Sample

WIDE = 20
"""Rates whose ratio is larger need a logarithmic scale."""

Curves = Mapping[str, Mapping[int, Sequence[Sample]]]


def plot(curves: Curves, along: str, note: str, file: Path) -> None:
    """Two panels: texts a second, and the median and p99 latency where there is one."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (rate, latency) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for name, curve in curves.items():
        points = sorted(curve)
        line = rate.plot(
            points, [median(curve[x], "texts_per_second") for x in points], marker="o", label=name
        )[0]
        p50, p99 = ([median(curve[x], p) for x in points] for p in ("p50", "p99"))
        if name.startswith("raw"):
            continue
        latency.plot(points, p50, marker="o", color=line.get_color(), label=f"{name}, p50")
        latency.plot(points, p99, linestyle=":", color=line.get_color())
    rates = [line.get_ydata() for line in rate.get_lines()]
    wide = max(map(max, rates)) > WIDE * min(map(min, rates))
    for axes, title in ((rate, "texts/s"), (latency, "latency, ms (dotted: p99)")):
        logarithmic = wide or axes is latency
        axes.set(
            xlabel=along, ylabel=title, xscale="log", yscale="log" if logarithmic else "linear"
        )
        if not logarithmic:
            axes.set_ylim(bottom=0)
        ticks = sorted({x for curve in curves.values() for x in curve})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    rate.legend(fontsize=8)
    figure.suptitle(note, fontsize=9)
    figure.savefig(file, dpi=110)
    plt.close(figure)
