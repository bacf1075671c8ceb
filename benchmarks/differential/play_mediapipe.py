"""Plays cases on MediaPipe: a case a line comes in as JSON, an outcome a line goes out.

Runs in an environment of its own and imports nothing of calcgraph. Of MediaPipe it needs the framework's
bindings alone; what its package imports besides is stood in for by empty modules.
"""

import json
import os
import sys
import types


class Absent(types.ModuleType):
    """A module that has every name and does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name)

    def __call__(self, *args, **kwargs):
        return self


for name in ("cv2", "matplotlib", "matplotlib.pyplot", "jax", "jax.numpy", "sounddevice"):
    sys.modules[name] = Absent(name)
os.environ["GLOG_minloglevel"] = "3"  # noqa: SIM112 (glog spells it so)

from mediapipe.python import _framework_bindings as bindings  # noqa: E402
from mediapipe.python import packet_creator, packet_getter  # noqa: E402

CREATE = {
    "int": packet_creator.create_int,
    "string": packet_creator.create_string,
    "bool": packet_creator.create_bool,
    "float": packet_creator.create_float,
    "ints": packet_creator.create_int_vector,
    "floats": packet_creator.create_float_vector,
    "strings": packet_creator.create_string_vector,
}
GET = {
    "int": packet_getter.get_int,
    "unsigned int": packet_getter.get_uint,
    "uint": packet_getter.get_uint,
    "uint64_t": packet_getter.get_uint,
    "bool": packet_getter.get_bool,
    "float": packet_getter.get_float,
    "double": packet_getter.get_float,
    "string": packet_getter.get_str,
    "vector<int>": packet_getter.get_int_list,
    "vector<float>": packet_getter.get_float_list,
    "vector<bool>": packet_getter.get_bool_list,
    "vector<string>": packet_getter.get_str_list,
}


def value_of(packet):
    """The payload, or the name of a type that Python cannot have."""
    kind = str(packet).partition("C++ type: ")[2].removesuffix(">")
    kind = kind.removeprefix("::").replace("std::", "")
    return GET[kind](packet) if kind in GET else f"({kind.rpartition('::')[2].lower()})"


def special(time):
    """A Timestamp of any value; the constructor refuses the special ones."""
    stamp = bindings.timestamp.Timestamp
    for each in (stamp.PRESTREAM, stamp.POSTSTREAM, stamp.MIN, stamp.MAX):
        if each.value == time:
            return each
    return stamp(time)


class Player:
    def __init__(self, case):
        self.case = case
        self.steps = []
        self.settled = []
        self.now = {}
        self.latest = {}
        self.failed_at = -1
        self.error = ""
        self.code = ""
        self.refused = ""
        self.side_packets = {}

    def see(self, name, packet):
        time = packet.timestamp.value
        if not packet.is_empty():
            self.now.setdefault(name, []).append((time, value_of(packet)))
        self.latest[name] = max(time, self.latest.get(name, time))

    def play(self):
        try:
            graph = bindings.calculator_graph.CalculatorGraph(graph_config=self.case["graph"])
            for name in self.case["observed"]:
                graph.observe_output_stream(name, self.see, self.case["stepwise"])
        except Exception as error:
            self.refused = kind_of(error)
            return
        self.run(graph)

    def run(self, graph):
        side_packets = {
            name: CREATE[kind](value) for name, kind, value in self.case["side_packets"]
        }
        try:
            graph.start_run(side_packets)
            if self.case["stepwise"]:
                graph.wait_until_idle()
        except Exception as error:
            self.refused = kind_of(error)
            return
        steps = self.case["all_steps"]
        for number, step in enumerate(steps):
            try:
                self.do(graph, step)
                if self.case["stepwise"]:
                    graph.wait_until_idle()
            except Exception as error:
                self.fail(graph, number, error)
                return
            self.note()
        try:
            graph.close_all_packet_sources()
            graph.wait_until_done()
        except Exception as error:
            self.fail(graph, len(steps), error)
            return
        self.note()
        for name in self.case["observed_side_packets"]:
            try:
                self.side_packets[name] = value_of(graph.get_output_side_packet(name))
            except Exception as error:
                self.side_packets[name] = kind_of(error)

    def do(self, graph, step):
        what, stream, *rest = step
        if what == "add":
            time, kind, value = rest
            graph.add_packet_to_input_stream(stream, CREATE[kind](value).at(special(time)))
        elif what == "bound":
            graph.add_packet_to_input_stream(stream, bindings.packet.Packet().at(special(rest[0])))
        else:
            graph.close_input_stream(stream)

    def note(self):
        self.steps.append(self.now)
        self.settled.append(dict(self.latest))
        self.now = {}

    def fail(self, graph, number, error):
        self.failed_at = number
        self.error = kind_of(error)
        # Once the run has ended MediaPipe has forgotten the code.
        self.code = graph.get_combined_error_message().partition(":")[0]


def kind_of(error):
    return "ValueError" if isinstance(error, ValueError) else "RuntimeError"


def main():
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the C++ side prints
    for line in sys.stdin:
        player = Player(json.loads(line))
        player.play()
        fields = ("refused", "steps", "settled", "failed_at", "error", "code", "side_packets")
        outcome = {field: getattr(player, field) for field in fields}
        out.write(json.dumps(outcome) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
