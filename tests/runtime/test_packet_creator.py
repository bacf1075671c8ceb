"""Packets as MediaPipe's packet_creator makes them and packet_getter reads them; see test_python_binding too."""

import pytest
from trial import Trial, inputs, node

from calcgraph.proto import graph_pb2
from calcgraph.runtime import packet_creator, packet_getter
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import Timestamp


def test_a_packet_may_be_stamped_anew_after_it_went_into_a_graph():
    """Rule P1."""
    trial = Trial(inputs("in", "gate") + node("Pass", "in gate", "out gated"), "out").start()
    packet = packet_creator.create_string("x").at(5)
    trial.graph.add_packet_to_input_stream("in", packet)
    packet.timestamp = 7
    trial.graph.add_packet_to_input_stream("in", packet)
    packet.timestamp = Timestamp.DONE
    trial.finish()
    assert trial.seen["out"] == [("x", 5), ("x", 7)]


def test_what_comes_out_of_a_graph_cannot_be_stamped():
    """Rule P1."""
    seen = []
    trial = Trial(inputs("in") + node("Pass", "in", "out"))
    trial.graph.observe_output_stream("out", lambda name, packet: seen.append(packet))
    trial.start()
    trial.graph.add_packet_to_input_stream("in", packet_creator.create_int(1).at(5))
    trial.finish()
    for packet in (seen[0], Packet(1, 5)):
        with pytest.raises(AttributeError):
            packet.timestamp = 6
        with pytest.raises(AttributeError):
            packet.value = 6
        assert packet.timestamp == 5


def test_a_message_is_copied_in_and_out():
    message = graph_pb2.CalculatorGraphConfig(num_threads=3)
    packet = packet_creator.create_proto(message)
    message.num_threads = 4
    read = packet_getter.get_proto(packet)
    read.num_threads = 5
    assert packet.value.num_threads == 3
    assert packet_getter.get_proto_list(Packet([message]))[0].num_threads == 4


def test_arrays_are_lists():
    assert packet_creator.create_int_array([1, 2]).value == [1, 2]
    assert packet_creator.create_float_array([1, 2.5]).value == [1.0, 2.5]


@pytest.mark.parametrize(
    ("read", "value", "found", "expected"),
    [
        (packet_getter.get_proto, 3, "int", "protobuf message"),
        (packet_getter.get_proto_list, [3], "list", "list of protobuf message"),
        (packet_getter.get_bool_list, [1], "list", "list of bool"),
        (packet_getter.get_str_list, "a", "string", "list of string"),
        (packet_getter.get_packet_list, None, "NoneType", "list of Packet"),
        (packet_getter.get_str_to_packet_dict, {"a": 1}, "dict", "dict of Packet"),
    ],
)
def test_the_wrong_type_names_both(read, value, found, expected):
    """Rule P3."""
    with pytest.raises(
        ValueError, match=f'The Packet stores "{found}", but "{expected}" was requested.'
    ):
        read(Packet(value))


def test_a_packet_of_nothing_names_what_was_expected():
    """Rule P3."""
    with pytest.raises(ValueError, match="holds nothing, expected int"):
        Packet().get(int)
    with pytest.raises(RuntimeError, match="type: protobuf message, but received an empty Packet"):
        packet_getter.get_proto(Packet())
