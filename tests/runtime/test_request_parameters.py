"""What a request's parameters are to a graph."""

import itertools

import pytest

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.request_parameters import Clock, side_packets, timestamp
from calcgraph.runtime.timestamp import MAX, MIN


def test_parameters_that_the_graph_reads_are_side_packets():
    """KServe U2."""
    given = {"text": "t", "number": 2**40, "flag": True, "share": 0.5, "other": 1}
    assert side_packets(given, {"text", "number", "flag", "share"}) == {
        "text": "t",
        "number": 2**40,
        "flag": True,
        "share": 0.5,
    }


@pytest.mark.parametrize(
    "name",
    [
        "binary_data_output",
        "sequence_id",
        "sequence_start",
        "sequence_end",
        "priority",
        "timeout",
        "headers",
        "triton_enable_empty_final_response",
        "OVMS_MP_TIMESTAMP",
    ],
)
def test_what_clients_send_of_their_own_accord_is_no_side_packet(name):
    """KServe J12, S12, U3."""
    assert side_packets({name: True}, {name}) == {}


def test_the_name_of_the_python_nodes_resources_is_reserved():
    """KServe S8."""
    with pytest.raises(RequestError, match="'py' is reserved") as refused:
        side_packets({"py": 1}, ())
    assert refused.value.code == Code.FAILED_PRECONDITION


@pytest.mark.parametrize("time", [MIN, -1, 0, 2**40, MAX])
def test_a_request_may_say_its_time(time):
    """KServe S5."""
    assert timestamp({"OVMS_MP_TIMESTAMP": time}) == time


@pytest.mark.parametrize("time", ["1", 1.0, True, MIN - 1, MAX + 1, -(2**63), 2**63 - 1, 2**70])
def test_what_is_no_time_is_refused(time):
    """KServe S5."""
    with pytest.raises(RequestError, match="OVMS_MP_TIMESTAMP is") as refused:
        timestamp({"OVMS_MP_TIMESTAMP": time})
    assert refused.value.code == Code.INVALID_ARGUMENT


def test_times_that_nobody_gave_increase():
    """KServe S5."""
    clock = Clock()
    times = [clock.next() for _ in range(1000)]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))
    assert timestamp({}) is None
