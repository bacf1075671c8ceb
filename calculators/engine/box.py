"""How many CPUs this process may use: affinity and cpuset, and the quota of its control groups."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """CPUs to run on, and how that was found."""

    cpus: int
    reason: str


def cpu_budget(root: Path = Path("/")) -> CpuBudget:
    """The fewest CPUs among affinity (which a cpuset narrows too) and cgroup quota, at least 1.

    `root` is where /proc and /sys are found. A quota of 1.5 counts as 2: a thread more than the
    quota is throttled now and then, a thread less leaves a third of it unused.
    """
    allowed = len(os.sched_getaffinity(0))
    quota = _quota(root)
    if quota is None or quota >= allowed:
        return CpuBudget(allowed, f"affinity allows {allowed}")
    cpus = max(1, int(quota + 0.5))
    return CpuBudget(cpus, f"cgroup quota {quota:g} of {allowed} allowed by affinity")


def _quota(root: Path) -> float | None:
    """The tightest quota, in CPUs, on the way from this process's control group to the top."""
    quotas = []
    for controllers, path in _groups(root):
        mount = root / "sys/fs/cgroup"
        if not controllers:
            read = _quota_v2
        elif "cpu" in controllers.split(","):
            mount = mount / ("cpu" if (mount / "cpu").is_dir() else controllers)
            read = _quota_v1
        else:
            continue
        # In a container the path may be the host's; the group's files are then at the mount.
        group = mount / path.strip("/")
        quotas += [read(g) for g in [group, *group.parents] if g.is_relative_to(mount)]
    return min((q for q in quotas if q is not None), default=None)


def _groups(root: Path) -> list[tuple[str, str]]:
    """(controllers, path) of every hierarchy this process is in; version 2 has no controllers."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    return [(controllers, path) for _, controllers, path in (line.split(":", 2) for line in lines)]


def _quota_v2(group: Path) -> float | None:
    match _words(group / "cpu.max"):
        case [quota, period] if quota != "max":
            return int(quota) / int(period)
    return None


def _quota_v1(group: Path) -> float | None:
    match _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us"):
        case [quota, period] if int(quota) > 0:
            return int(quota) / int(period)
    return None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
