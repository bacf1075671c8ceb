"""The profiler and the tracer of one graph, as its `profiler_config` asks for them."""

from __future__ import annotations

from collections.abc import Sequence

from calcgraph.proto.profile_pb2 import CalculatorProfile, GraphProfile
from calcgraph.runtime.calls import Listener, Stopwatch, nanoseconds
from calcgraph.runtime.input_handlers import InputStreamHandler
from calcgraph.runtime.overheard_handler import OverheardHandler
from calcgraph.runtime.plan import GraphPlan, NodePlan
from calcgraph.runtime.profiling import Profiler
from calcgraph.runtime.tracing import Kind, Moment, Tracer


class Watch:
    """Outlives the graph's runs."""

    def __init__(
        self,
        profiler: Profiler | None,
        tracer: Tracer | None,
        plan: GraphPlan,
        others: Sequence[Listener] = (),
    ) -> None:
        self.tracer = tracer
        self._profiler = profiler
        self._plan = plan
        listeners: list[Listener] = [one for one in (profiler, tracer, *others) if one is not None]
        self.stopwatch = Stopwatch(listeners, plan.config.profiler_config.calculator_filter)

    @classmethod
    def asked_for(cls, plan: GraphPlan, others: Sequence[Listener] = ()) -> Watch | None:
        """None for a graph that asks for nothing, as most do. `others` are told of its calls too."""
        config = plan.config.profiler_config
        profiler = Profiler(plan, config) if config.enable_profiler else None
        tracer = Tracer(plan, config) if config.trace_enabled else None
        return cls(profiler, tracer, plan, others) if profiler or tracer or others else None

    def on_throttled(self, stream: str, is_throttled: bool) -> None:
        kind = Kind.THROTTLED if is_throttled else Kind.UNTHROTTLED
        if self.tracer is not None:
            self.tracer.note(Moment(kind, nanoseconds(), stream=stream))

    def overheard(self, handler: InputStreamHandler, node: NodePlan) -> InputStreamHandler:
        """The same handler, its verdicts told to the tracer."""
        return handler if self.tracer is None else OverheardHandler(handler, node.id, self.tracer)

    def run_ended(self) -> None:
        if self.tracer is not None:
            self.tracer.write_files(nanoseconds())

    def profiles(self) -> list[CalculatorProfile]:
        return self._profiler.profiles() if self._profiler is not None else []

    def capture(self) -> GraphProfile:
        """What there is since the last capture; the next begins with nothing."""
        profile = GraphProfile(config=self._plan.config, calculator_profiles=self.profiles())
        if self._profiler is not None:
            self._profiler.reset()
        if self.tracer is not None:
            profile.graph_trace.append(self.tracer.capture())
        return profile
