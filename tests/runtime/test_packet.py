"""A value at a time."""

import gc
import weakref

import pytest
from trial import Trial, inputs, node

from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import Timestamp


def test_a_packet_at_another_time_shares_the_payload():
    """Case PK1. Rule P1."""
    payload = [1]
    first = Packet(payload)
    second = first.at(200)
    assert first.value is second.value is payload
    assert first.timestamp == Timestamp.UNSET
    assert second.timestamp == 200


def test_none_is_a_payload_and_nothing_is_not():
    """Rule P2."""
    assert not Packet(None).is_empty()
    assert Packet(None).value is None
    assert Packet().is_empty()
    with pytest.raises(StatusError, match="is empty"):
        _ = Packet().value


def test_the_wrong_type_names_both():
    """Rule P3."""
    with pytest.raises(ValueError, match="holds int, expected str"):
        Packet(1).get(str)
    assert Packet(True).get(int) is True


class Payload:
    """Something whose end can be seen."""


@pytest.mark.parametrize("kind", ["Pass", "ThreadPass", "AsyncPass"])
@pytest.mark.parametrize("count", [1, 3])
def test_payloads_are_let_go_when_the_graph_is_idle(kind, count):
    """Case PK4. Rule P4."""
    trial = Trial(inputs("in") + node(kind, "in", "a") + node(kind, "a", "out")).start()
    alive = weakref.WeakSet()
    for time in range(count):
        payload = Payload()
        alive.add(payload)
        trial.add("in", payload, time)
        del payload
    trial.idle()
    gc.collect()
    assert len(alive) == 0
    trial.finish()
