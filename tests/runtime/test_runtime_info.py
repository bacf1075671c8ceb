"""Where the packets of a running graph are."""

from trial import Trial, inputs, node

from calcgraph.runtime.runtime_info import InputInfo, NodeInfo


def test_queues_and_bounds_of_a_join_that_waits():
    trial = Trial(inputs("in", "other") + node("Pass", "in other", "a b", 'name: "join"'))
    assert trial.graph.get_runtime_info() == []
    trial.start()
    for time in (3, 5):
        trial.add("in", 0, time)
    trial.bound("other", 2)
    assert trial.graph.get_runtime_info() == [
        NodeInfo("join", "open", 0, [InputInfo("in", 2, 2, 3), InputInfo("other", 0, 0, 2)])
    ]
    trial.finish()


def test_a_node_that_was_not_opened():
    trial = Trial(
        inputs("in")
        + node("StreamToSide", "in", "", 'output_side_packet: "number"')
        + node("SideToStream", "", "out", 'input_side_packet: "number"')
    ).start()
    assert [info.state for info in trial.graph.get_runtime_info()] == ["open", "waits to be opened"]
    trial.finish()
