"""What happened in a graph, event by event."""

import json

import pytest
from trial import Trial, inputs, node, options

from calcgraph.proto.profile_pb2 import GraphProfile, GraphTrace

TWO = (
    inputs("in")
    + node("Pass", "in", "a", 'name: "first"')
    + node("ThreadPass", "a", "out", 'name: "second"')
)


def config(fields="trace_log_disabled: true"):
    return f"profiler_config {{ trace_enabled: true {fields} }}\n"


def traced(text, count=3):
    trial_run = Trial(text).start()
    for time in range(count):
        trial_run.add("in", time, 100 + time)
    trial_run.finish()
    return trial_run.graph


def named(trace):
    return [
        (
            trace.calculator_name[e.node_id] if e.node_id >= 0 else "",
            GraphTrace.EventType.Name(e.event_type),
        )
        for e in trace.calculator_trace
    ]


def test_every_call_and_every_packet_of_the_application():
    """Rule F3."""
    trace = traced(config() + TWO).capture_profile().graph_trace[0]
    events = named(trace)
    assert events.count(("", "PACKET_QUEUED")) == 3
    for name in ("first", "second"):
        assert events.count((name, "OPEN")) == 1
        assert events.count((name, "PROCESS")) == 3
        assert events.count((name, "CLOSE")) == 1
    call = next(e for e in trace.calculator_trace if e.node_id == 1 and e.event_type == 2)
    assert trace.base_timestamp == 100
    assert call.input_timestamp == 0
    assert trace.stream_name[call.input_trace[0].stream_id] == "a"
    assert trace.stream_name[call.output_trace[0].stream_id] == "out"
    assert call.finish_time >= call.start_time >= 0
    assert events.count(("first", "READY_FOR_PROCESS")) == 3
    assert events.count(("first", "READY_FOR_CLOSE")) == 1
    assert ("second", "NOT_READY") in events


def test_a_capture_takes_the_events_along():
    """Rule F5."""
    graph = traced(config() + TWO)
    assert graph.capture_profile().graph_trace[0].calculator_trace
    assert not graph.capture_profile().graph_trace[0].calculator_trace


def test_only_the_newest_events_are_kept():
    graph = traced(config("trace_log_disabled: true trace_log_capacity: 5") + TWO, count=50)
    assert len(graph.capture_profile().graph_trace[0].calculator_trace) == 5


def test_kinds_of_events_can_be_left_out():
    fields = "trace_log_disabled: true trace_event_types_disabled: [1, 3, 4, 5, 6, 15]"
    trace = traced(config(fields) + TWO).capture_profile().graph_trace[0]
    assert {kind for _, kind in named(trace)} == {"PROCESS"}


def test_begins_and_ends_as_events_of_their_own():
    fields = "trace_log_disabled: true trace_log_instant_events: true"
    trace = traced(config(fields) + TWO).capture_profile().graph_trace[0]
    calls = [e for e in trace.calculator_trace if e.event_type == 2]
    assert len(calls) == 12
    assert all(e.HasField("start_time") != e.HasField("finish_time") for e in calls)


def test_throttling_is_traced():
    trial_run = Trial(
        config() + "max_queue_size: 1\n" + inputs("in", "other") + node("Pass", "in other", "a b")
    ).start()
    for time in range(3):
        trial_run.add("in", time, time)
    trial_run.finish()
    kinds = [kind for _, kind in named(trial_run.graph.capture_profile().graph_trace[0])]
    assert kinds.count("THROTTLED") == kinds.count("UNTHROTTLED") == 3


class TestFiles:
    def read(self, path):
        return GraphProfile.FromString(path.read_bytes())

    def test_what_happened_is_written_at_the_end_of_a_run(self, tmp_path):
        """Rule F4."""
        graph = traced(config(f'trace_log_path: "{tmp_path}/t_"') + TWO)
        profile = self.read(tmp_path / "t_0.binarypb")
        assert profile.config.node[0].name == "first"
        kinds = [e.event_type for t in profile.graph_trace for e in t.calculator_trace]
        assert [kinds.count(kind) for kind in (1, 2, 3, 15)] == [2, 6, 2, 3]
        assert not graph.capture_profile().graph_trace[0].calculator_trace
        assert [path.name for path in tmp_path.iterdir()] == ["t_0.binarypb"]

    def test_files_are_written_in_turn(self, tmp_path):
        fields = (
            f'trace_log_path: "{tmp_path}/t_" trace_log_interval_usec: 1'
            " trace_log_interval_count: 2 trace_log_count: 3"
        )
        traced(config(fields) + TWO, count=20)
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            f"t_{n}.binarypb" for n in range(3)
        ]
        for path in tmp_path.iterdir():
            profile = self.read(path)
            assert 1 <= len(profile.graph_trace) <= 2
            assert len(profile.config.node) == 2

    def test_a_file_that_cannot_be_written_harms_nobody(self, tmp_path, caplog):
        traced(config(f'trace_log_path: "{tmp_path}/nowhere/t_"') + TWO)
        assert "the trace cannot be written" in caplog.text

    def test_no_events_no_file(self, tmp_path):
        fields = (
            f'trace_log_path: "{tmp_path}/t_" trace_event_types_disabled: [1, 2, 3, 4, 5, 6, 15]'
        )
        traced(config(fields) + TWO)
        assert list(tmp_path.iterdir()) == []


class TestChromeTrace:
    def events(self, text, **more):
        trace = json.loads(json.dumps(traced(text, **more).chrome_trace()))
        return trace["traceEvents"]

    def test_tracks_are_named_after_nodes(self):
        names = [
            e["args"]["name"] for e in self.events(config() + TWO) if e["name"] == "thread_name"
        ]
        assert names == ["graph inputs", "first", "second"]

    def test_every_call_is_a_span(self):
        spans = [e for e in self.events(config() + TWO) if e["ph"] == "X"]
        assert [e["name"] for e in spans].count("second.process") == 3
        assert all(e["dur"] >= 0 and e["ts"] >= 0 for e in spans)
        assert {e["args"]["timestamp"] for e in spans if e["cat"] == "process"} == {
            "100",
            "101",
            "102",
        }

    def test_packets_flow_from_writer_to_reader_and_wait_between(self):
        events = self.events(config() + TWO)
        by_phase = {phase: [e for e in events if e["ph"] == phase] for phase in "sfbe"}
        assert {phase: len(found) for phase, found in by_phase.items()} == dict.fromkeys("sfbe", 6)
        for start, finish in zip(by_phase["s"], by_phase["f"], strict=True):
            assert start["id"] == finish["id"]
            assert start["ts"] <= finish["ts"]
            assert self.encloses(events, start)
            assert self.encloses(events, finish)
        for begin, end in zip(by_phase["b"], by_phase["e"], strict=True):
            assert begin["id"] == end["id"]
            assert begin["ts"] <= end["ts"]

    @staticmethod
    def encloses(events, arrow):
        """An arrow starts and ends within a span of its track, or viewers drop it."""
        return any(
            e["ph"] == "X"
            and e["tid"] == arrow["tid"]
            and e["ts"] - 1e-3 <= arrow["ts"] <= e["ts"] + e["dur"] + 1e-3
            for e in events
        )

    def test_a_graph_that_does_not_ask_has_none(self):
        with pytest.raises(ValueError, match="trace_enabled: true"):
            traced(TWO).chrome_trace()

    def test_sources_and_errors_are_traced_like_the_rest(self):
        trial_run = Trial(
            config()
            + node("Count", "", "in", options(count=5))
            + node("Fail", "in", "out", options(time=3))
        ).start()
        with pytest.raises(RuntimeError):
            trial_run.graph.wait_until_done()
        names = [e["name"] for e in trial_run.graph.chrome_trace()["traceEvents"]]
        assert names.count("Fail.process") == 4
