"""Trace files as MediaPipe writes them: `<prefix><i>.binarypb`, a few of them in turn."""

from __future__ import annotations

import tempfile
from pathlib import Path

from calcgraph.proto.graph_pb2 import ProfilerConfig
from calcgraph.proto.profile_pb2 import GraphProfile, GraphTrace
from calcgraph.runtime.plan import GraphPlan

_PREFIX = "mediapipe_trace_"


class TraceFiles:
    """GraphProfile messages, appended every `trace_log_interval_usec`.

    `trace_log_interval_count` intervals go into a file, then comes the next of `trace_log_count` files,
    whose old content is dropped. The graph's config is written once a file.
    """

    def __init__(self, plan: GraphPlan, config: ProfilerConfig) -> None:
        self._plan = plan
        self._prefix = config.trace_log_path or str(Path(tempfile.gettempdir()) / _PREFIX)
        self._interval = (config.trace_log_interval_usec or 500_000) * 1000
        self._intervals_a_file = config.trace_log_interval_count or 10
        self._files = config.trace_log_count or 2
        self._written = 0
        self._next: int | None = None

    def is_due(self, now: int) -> bool:
        """`now` in nanoseconds."""
        if self._next is None:
            self._next = now + self._interval
        return now >= self._next

    def path(self, number: int) -> Path:
        return Path(f"{self._prefix}{number}.binarypb")

    def write(self, trace: GraphTrace, now: int) -> None:
        interval, self._written = self._written, self._written + 1
        self._next = now + self._interval
        begins = interval % self._intervals_a_file == 0
        profile = GraphProfile(graph_trace=[trace])
        if begins:
            profile.config.CopyFrom(self._plan.config)
        path = self.path(interval // self._intervals_a_file % self._files)
        # Messages that follow each other read as one message, their repeated fields joined.
        with path.open("wb" if begins else "ab") as file:
            file.write(profile.SerializeToString())
