import pytest
from core_run import at, node, seen


@pytest.mark.parametrize(
    ("options", "times"),
    [("profile_interval: 10", [0, 10, 20]), ("", [0]), ("profile_interval: 1", [0, 5, 10, 15, 20])],
)
def test_a_profile_comes_every_interval(options, times):
    graph = "profiler_config { enable_profiler: true }" + node(
        "GraphProfileCalculator", "FRAME:in", "PROFILE:out", options=options
    )
    profiles = seen(graph, {"in": at([0, 5, 10, 15, 20])})
    assert [time for time, _ in profiles] == times
    assert [profile.HasField("config") for _, profile in profiles] == [True] + [False] * (
        len(times) - 1
    )


def test_it_tells_what_the_nodes_took():
    graph = (
        "profiler_config { enable_profiler: true }"
        + node("PassThroughCalculator", "in", "passed")
        + node(
            "GraphProfileCalculator", "FRAME:passed", "PROFILE:out", options="profile_interval: 1"
        )
    )
    profiles = [profile for _, profile in seen(graph, {"in": at([0, 1, 2])})]
    calls = [
        sum(each.process_runtime.count)
        for profile in profiles
        for each in profile.calculator_profiles
        if each.name == "PassThroughCalculator"
    ]
    assert calls == [1, 1, 1]


def test_a_graph_without_a_profiler_still_tells_its_config():
    graph = node("GraphProfileCalculator", "FRAME:in", "PROFILE:out")
    [(_, profile)] = seen(graph, {"in": at([0, 1])})
    assert profile.config.node[0].calculator == "GraphProfileCalculator"
    assert not profile.calculator_profiles
