"""Code written for MediaPipe's Python binding runs after changing its imports."""

import json
from pathlib import Path

import mediapipe_programs
import pytest

import calcgraph.runtime as mp
from calcgraph.proto import graph_pb2 as calculator_pb2

ON_MEDIAPIPE = json.loads(Path(mediapipe_programs.__file__).with_suffix(".json").read_text())
"""What the programs saw on MediaPipe 0.10.21; a differential test keeps it true."""


@pytest.mark.parametrize(
    "program",
    mediapipe_programs.PROGRAMS,
    ids=[each.__name__ for each in mediapipe_programs.PROGRAMS],
)
def test_a_program_sees_what_it_sees_on_mediapipe(program):
    seen = json.loads(json.dumps(program(mp, calculator_pb2)))
    assert seen == ON_MEDIAPIPE[program.__name__]


def test_time_that_does_not_rise_is_told_when_the_packet_is_added():
    """Rule A6. MediaPipe tells it at the next call."""
    graph = mp.CalculatorGraph(graph_config=mediapipe_programs.PASS_THROUGH)
    packet = mp.packet_creator.create_string("hello world")
    graph.start_run()
    graph.add_packet_to_input_stream(stream="in", packet=packet.at(0))
    with pytest.raises(ValueError, match="is 1 but received 0"):
        graph.add_packet_to_input_stream(stream="in", packet=packet.at(0))
    graph.cancel()
