"""GraphProfileCalculator: the graph's own trace and profiles, as packets."""

from __future__ import annotations

from typing import Any

from calcgraph.calculators.core.base import CoreCalculator
from calcgraph.proto.core_calculators_pb2 import GraphProfileCalculatorOptions
from calcgraph.proto.profile_pb2 import GraphProfile
from calcgraph.runtime.context import CalculatorContext


class GraphProfileCalculator(CoreCalculator):
    """PROFILE is what was recorded since the last one, at most once every `profile_interval` microseconds.

    FRAME packets drive it, by their times. The first profile holds the graph's config too. There is
    something in it if the graph has a `profiler_config` that enables the profiler or the tracer.
    """

    inputs = {"FRAME:*": Any}
    outputs = {"PROFILE": GraphProfile}
    options = GraphProfileCalculatorOptions

    def open(self, cc: CalculatorContext) -> None:
        self.last: int | None = None

    def process(self, cc: CalculatorContext) -> None:
        first = self.last is None
        if self.last is not None and cc.timestamp - self.last < cc.options.profile_interval:
            return
        self.last = cc.timestamp
        profile = cc.capture_profile()
        if not first:
            profile.ClearField("config")
        cc.outputs["PROFILE"].add(profile)
