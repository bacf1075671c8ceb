"""Run graph.pbtxt on the texts given as arguments."""

import sys
from pathlib import Path

from calcgraph.runtime import CalculatorGraph, Packet
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.validation import plan_graph

here = Path(__file__).parent
file = here / "graph.pbtxt"
plan = plan_graph(read_graph(file.read_text(), str(file)), base_path=here)

with CalculatorGraph(plan=plan) as graph:
    graph.observe_output_stream("mean", lambda name, packet: print(f"{packet.value:.2f}"))
    graph.start_run()
    for time, text in enumerate(sys.argv[1:]):
        graph.add_packet_to_input_stream("text", Packet(text, time))
