"""How long nodes take and how old packets are."""

import asyncio

import pytest
from trial import Trial, inputs, node

ON = "profiler_config { enable_profiler: true "
KINDS = ["Pass", "ThreadPass", "AsyncPass"]


def profiles(trial_run):
    return {profile.name: profile for profile in trial_run.graph.get_calculator_profiles()}


def fed(text, count=4):
    trial_run = Trial(text, "out").start()
    for time in range(count):
        trial_run.add("in", time, time)
    trial_run.finish()
    assert len(trial_run.seen["out"]) == count
    return trial_run


@pytest.mark.parametrize("kind", KINDS)
def test_calls_are_counted_by_duration(kind):
    """Rule F1."""
    trial_run = fed(
        ON
        + "histogram_interval_size_usec: 1000000 num_histogram_intervals: 3 }\n"
        + inputs("in")
        + node(kind, "in", "out")
    )
    runtime = profiles(trial_run)[kind].process_runtime
    assert list(runtime.count) == [4, 0, 0]
    assert runtime.interval_size_usec == 1_000_000
    assert runtime.num_intervals == 3


def test_a_graph_that_does_not_ask_has_no_profile():
    trial_run = fed(inputs("in") + node("Pass", "in", "out"))
    assert trial_run.graph.get_calculator_profiles() == []
    assert trial_run.graph.capture_profile().config.node[0].calculator == "Pass"


def test_long_calls_fall_into_the_last_interval():
    import time

    def work(cc):
        end = time.perf_counter() + 0.003
        while time.perf_counter() < end:
            pass

    trial_run = Trial(
        ON
        + "histogram_interval_size_usec: 1000 num_histogram_intervals: 2 }\n"
        + inputs("in")
        + node("Lambda", "in", "out", 'input_side_packet: "PROCESS:p" input_side_packet: "OPEN:p"')
    ).start(p=work)
    trial_run.add("in", 0, 0)
    trial_run.finish()
    profile = profiles(trial_run)["Lambda"]
    assert list(profile.process_runtime.count) == [0, 1]
    assert profile.process_runtime.total >= 3000
    assert profile.open_runtime >= 3000


def test_profiles_add_up_over_runs_until_they_are_captured():
    """Rule F5."""
    text = ON + "}\n" + inputs("in") + node("Pass", "in", "out")
    trial_run = fed(text)
    trial_run.clear()
    trial_run.start()
    trial_run.add("in", 0, 0)
    trial_run.finish()
    captured = trial_run.graph.capture_profile()
    assert sum(captured.calculator_profiles[0].process_runtime.count) == 5
    assert trial_run.graph.get_calculator_profiles() == []


def test_only_the_nodes_that_the_filter_names():
    """Rule F5: the whole name has to match."""
    text = (
        ON
        + 'calculator_filter: "fir.*" }\n'
        + inputs("in")
        + node("Pass", "in", "a", 'name: "first"')
        + node("Pass", "a", "out", 'name: "a_first"')
    )
    assert list(profiles(fed(text))) == ["first"]


def test_ages_of_packets():
    """Rule F2."""
    text = (
        ON
        + "enable_stream_latency: true use_packet_timestamp_for_added_packet: true }\n"
        + inputs("in")
        + node("Pass", "in", "a", 'name: "first"')
        + node("Pass", "a", "out", 'name: "second"')
    )
    found = profiles(fed(text))
    first, second = found["first"], found["second"]
    # Packets at 0 to 3 us of the epoch are as old as the epoch.
    assert first.process_input_latency.total > 10**15
    assert second.process_input_latency.total > 10**15
    assert second.input_stream_profiles[0].name == "a"
    assert second.input_stream_profiles[0].latency.total < 10**9
    assert sum(second.input_stream_profiles[0].latency.count) == 4


def test_a_profiled_graph_gives_the_same_answer():
    plain = fed(
        inputs("in")
        + "".join(node(k, *p.split()) for k, p in zip(KINDS, ["in a", "a b", "b out"], strict=True))
    )
    watched = fed(
        "profiler_config { enable_profiler: true trace_enabled: true trace_log_disabled: true }\n"
        + inputs("in")
        + "".join(node(k, *p.split()) for k, p in zip(KINDS, ["in a", "a b", "b out"], strict=True))
    )
    assert plain.seen == watched.seen


def test_cancelled_tasks_of_a_watched_graph_leave_nothing_behind():
    async def main():
        trial_run = Trial(ON + "}\n" + inputs("in") + node("AsyncPass", "in", "out")).start()
        trial_run.add("in", 0, 0)
        trial_run.graph.cancel()
        with pytest.raises(RuntimeError):
            await trial_run.graph.until_done()

    asyncio.run(main())
